/** The program of scripts/schema-pairs. */
import { comparePairs, EXPLAINED } from './registry-pairs.js';

const [pairs = '20000', seed = '1'] = process.argv.slice(2);
const comparisons = await comparePairs(process.env['SCHEMA_REGISTRY_URL'] ?? '', `schema_pairs_${process.pid}.`, Number(seed), Number(pairs));
const tally = new Map<string, number>();
let unexplained = 0;
for (const comparison of comparisons) {
  const { ours, theirs } = comparison;
  const explanation = ours === theirs ? null : EXPLAINED.find(({ covers }) => covers(comparison));
  if (explanation === undefined) {
    unexplained++;
    console.log(JSON.stringify(comparison));
  }
  const key = explanation === null ? `both ${ours}` : `here ${ours}, registry ${theirs}: ${explanation === undefined ? 'NOT EXPLAINED' : `${explanation.what} (${explanation.why})`}`;
  tally.set(key, (tally.get(key) ?? 0) + 1);
}
for (const [key, count] of [...tally].sort(([, a], [, b]) => b - a)) console.log(`${String(count).padStart(8)}  ${key}`);
console.log(`${comparisons.length} pairs, ${unexplained} differences not explained`);
process.exitCode = unexplained === 0 ? 0 : 3;
