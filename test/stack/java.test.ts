import { expect } from 'chai';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseJava, javaCandidates, javaMajor } from '../../src/stack/java.js';
import { isDebianLike } from '../../src/stack/toolchain.js';

describe('choice of Java', () => {
  const versions: readonly (readonly [string, number | null])[] = [
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['java version "1.8.0_412"', 8],
    ['openjdk version "21" 2023-09-19', 21],
    ['openjdk version "25-ea" 2025-09-16', 25],
    ['no java here', null],
  ];
  for (const [text, major] of versions) {
    it(`reads ${text} as ${major}`, () => expect(javaMajor(text)).to.equal(major));
  }

  it('takes the first that is new enough and asks no further', () => {
    const majors: Record<string, number | null> = { '/a/bin/java': 11, '/b/bin/java': null, '/c/bin/java': 17, '/d/bin/java': 25 };
    const asked: string[] = [];
    const java = chooseJava(Object.keys(majors), (path) => {
      asked.push(path);
      return majors[path] ?? null;
    });
    expect(java).to.deep.equal({ home: '/c', executable: '/c/bin/java', major: 17 });
    expect(asked).to.deep.equal(['/a/bin/java', '/b/bin/java', '/c/bin/java']);
  });

  it('finds none where all are too old', () => {
    expect(chooseJava(['/a/bin/java'], () => 16)).to.equal(null);
  });

  describe('candidates', () => {
    let dir: string;
    beforeEach(() => (dir = realpathSync(mkdtempSync(join(tmpdir(), 'stack-java-')))));
    afterEach(() => rmSync(dir, { recursive: true, force: true }));

    const program = (folder: string): string => {
      mkdirSync(folder, { recursive: true });
      const path = join(folder, 'java');
      writeFileSync(path, '#!/bin/sh\n');
      chmodSync(path, 0o755);
      return path;
    };

    it('are JAVA_HOME, then PATH, then the JVM folders, each executable once', () => {
      const home = program(join(dir, 'home', 'bin'));
      const onPath = program(join(dir, 'path'));
      const installed = program(join(dir, 'jvm', 'b-21', 'bin'));
      const bundled = program(join(dir, 'jvm', 'c-25', 'Contents', 'Home', 'bin'));
      // As distributions do it: a second name for the same JVM.
      symlinkSync(join(dir, 'home'), join(dir, 'jvm', 'a-default'));
      writeFileSync(join(dir, 'java'), 'not executable');
      const env = { JAVA_HOME: join(dir, 'home'), PATH: `${dir}:${join(dir, 'path')}:${join(dir, 'absent')}` };
      expect(javaCandidates(env, [join(dir, 'jvm'), join(dir, 'no-such')])).to.deep.equal([home, onPath, installed, bundled]);
    });
  });

  it('knows Debian and its children from others', () => {
    expect(isDebianLike('NAME="Debian GNU/Linux"\nID=debian\n')).to.equal(true);
    expect(isDebianLike('ID=linuxmint\nID_LIKE="ubuntu debian"\n')).to.equal(true);
    expect(isDebianLike('ID=fedora\nVARIANT_ID=debian\n')).to.equal(false);
    expect(isDebianLike('ID="rhel"\nID_LIKE="fedora"\n')).to.equal(false);
  });
});
