import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { naturalKey, UUID_NAMESPACE, uuidOfKey, uuidV5 } from '../../src/domain/uuid.js';
import { codePoint } from '../avro/arbitrary-record.js';

function expected(name: string): string {
  const namespace = Buffer.from(UUID_NAMESPACE.replaceAll('-', ''), 'hex');
  const bytes = createHash('sha1').update(namespace).update(name, 'utf8').digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

describe('uuidV5', () => {
  it('agrees with SHA-1 of the platform at every length around the block borders', () => {
    for (let length = 0; length <= 200; length++) {
      const name = 'a'.repeat(length);
      expect(uuidV5(name), `length ${length}`).to.equal(expected(name));
    }
  });

  it('agrees on any text, ASCII or not', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: codePoint, maxLength: 300 }), fc.string({ maxLength: 400 })), (name) => {
        expect(uuidV5(name)).to.equal(expected(name));
      }),
      { numRuns: 100 },
    );
  });

  it('takes names longer than its scratch, and short ones after them', () => {
    for (const name of ['é'.repeat(5_000), 'x'.repeat(20_000), 'short']) expect(uuidV5(name)).to.equal(expected(name));
  });

  it('is the same of a key and of its parts, whatever came before', () => {
    const part = fc.oneof(fc.string({ unit: codePoint, maxLength: 60 }), fc.string({ maxLength: 1_500 }), fc.integer(), fc.constant(null));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        expect(uuidOfKey(...parts)).to.equal(expected(naturalKey(...parts)));
      }),
      { numRuns: 200 },
    );
  });

  it('keeps its ids for ever', () => {
    expect(uuidV5(naturalKey('main', 'linear', 'BTCUSDT', 'exec-1', 0))).to.equal('154a47dd-01c9-5219-b388-4ffe897e4479');
  });
});

describe('naturalKey', () => {
  it('joins parts by |, null as the empty string', () => {
    expect(naturalKey('a', null, 0, '')).to.equal('a||0|');
    expect(naturalKey(null)).to.equal('');
  });
});
