import { expect } from 'chai';
import { crc32c } from '../../src/kafka/crc32c.js';
import { murmur2, partitionOf } from '../../src/kafka/partitioner.js';

describe('murmur2', () => {
  // The vectors of the Java client's own test, and two more from its implementation.
  const vectors: readonly (readonly [string, number])[] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ];
  for (const [text, hash] of vectors) {
    it(`is the Java client's for "${text}"`, () => expect(murmur2(Buffer.from(text))).to.equal(hash));
  }

  it('puts a key where the Java client puts it, negative hashes too', () => {
    expect(partitionOf('foobar', 12)).to.equal((-790332482 & 0x7fffffff) % 12);
    expect(partitionOf('abc', 12)).to.equal(479470107 % 12);
    expect(partitionOf(Buffer.from('abc'), 12)).to.equal(partitionOf('abc', 12));
  });
});

describe('crc32c', () => {
  it('matches the check value of the polynomial', () => expect(crc32c(Buffer.from('123456789'))).to.equal(0xe3069283));
  it('matches the iSCSI vectors', () => {
    expect(crc32c(Buffer.alloc(32))).to.equal(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff))).to.equal(0x62a8ab43);
    expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).to.equal(0x46dd794e);
  });
  it('does not depend on where in memory the bytes lie', () => {
    const bytes = Buffer.from(Array.from({ length: 100 }, (_, i) => (i * 37) & 255));
    for (let shift = 0; shift < 9; shift++) {
      const moved = Buffer.alloc(120);
      bytes.copy(moved, shift);
      expect(crc32c(moved, shift, shift + bytes.length)).to.equal(crc32c(bytes));
    }
  });
});
