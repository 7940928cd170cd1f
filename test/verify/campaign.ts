import { parseArgs } from 'node:util';
import { SCENARIOS } from '../simulator/scenarios.js';
import { HOW, judgedSession } from './judged-session.js';

/** Judges simulated sessions of every scenario and prints what does not hold; exit code 3 if anything does not. */
const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '0-4' }, orders: { type: 'string', default: '25' }, scenario: { type: 'string' }, help: { type: 'boolean', default: false } },
});
const [from, to] = values.seeds.split('-').map(Number);
const orders = Number(values.orders);
if (values.help || from === undefined || to === undefined || ![from, to, orders].every(Number.isSafeInteger)) {
  process.stdout.write('scripts/verify-sessions [--seeds FROM-TO] [--orders N] [--scenario NAME]\nEvery scenario of the simulator, whole, delivered in another order and broken off, judged by verify. Exit code 3 if something does not hold.\n');
  process.exit(values.help ? 0 : 2);
}

let sessions = 0;
let broken = 0;
for (const name of values.scenario === undefined ? Object.keys(SCENARIOS) : [values.scenario]) {
  for (let seed = from; seed <= to; seed++) {
    for (const how of HOW) {
      const { breaches } = await judgedSession(name, seed, how, orders);
      sessions += 1;
      if (breaches.length === 0) continue;
      broken += 1;
      process.stdout.write(`${name}, seed ${seed}, ${how}: ${breaches.length} breaches\n${breaches.slice(0, 3).map(({ check, book, message }) => `  ${check} ${book.category} ${book.asset} ${book.position_idx ?? ''}: ${message}\n`).join('')}`);
    }
  }
}
process.stdout.write(`${sessions} sessions, ${broken} in which something does not hold\n`);
process.exitCode = broken === 0 ? 0 : 3;
