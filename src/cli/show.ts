import { databaseSchema } from '../config/namespace.js';
import { openDatabase } from '../postgres/database.js';
import { requireMigrated } from '../postgres/migrate.js';
import type { Queries } from '../postgres/session.js';
import { defineCommand, type Command } from './command.js';
import { shownCell } from './show-cells.js';
import { readSummary, summaryText } from './show-summary.js';
import { SHOW_VIEWS, showQuery, type ShowFilter, type ShowView, type ShowViewName } from './show-views.js';
import { textTable } from './text-table.js';

const VIEW_NAMES = Object.keys(SHOW_VIEWS) as readonly ShowViewName[];

/** `show`: what the tables hold, on a terminal or as JSON. */
export const showCommands: readonly Command[] = [
  defineCommand({
    path: ['show'],
    summary: 'show positions, links, results, discrepancies, orders, cycles, or a summary',
    details:
      'Lists the newest rows, oldest of them first. Amounts are rounded to 8 decimals and ids cut short; --json has every column, exact and whole. ' +
      'For positions, cycles and discrepancies --signal selects those that have a result of the signal. ' +
      "summary counts rows and kinds of evidence, and compares the sum of all results with the exchange's own realised PnL.",
    positionals: [{ name: 'WHAT', help: `any of ${[...VIEW_NAMES, 'summary'].join(', ')}`, count: 'one', choices: [...VIEW_NAMES, 'summary'] }],
    options: ['asset', 'signal', 'limit', 'json', 'namespace', 'databaseUrl'],
    async run({ positionals, options, stdout }) {
      const { asset, signal, limit, json, namespace, databaseUrl } = options;
      const schema = databaseSchema(namespace);
      const database = openDatabase({ databaseUrl, schema, applicationName: 'position-linker show' });
      try {
        await requireMigrated(database, schema);
        const [what] = positionals;
        if (what === 'summary') {
          const summary = await readSummary(database, asset);
          stdout(json ? `${JSON.stringify(summary, null, 2)}\n` : summaryText(summary));
        } else stdout(await listing(database, SHOW_VIEWS[what as ShowViewName], { asset, signal, limit }, json));
        return 0;
      } finally {
        await database.close();
      }
    },
  }),
];

async function listing(queries: Queries, view: ShowView, filter: ShowFilter, json: boolean): Promise<string> {
  const { text, parameters } = showQuery(view, filter);
  const found = await queries.query<Record<string, unknown> & { matching?: number }>(text, parameters);
  const matching = found[0]?.matching ?? 0;
  if (json) {
    for (const row of found) delete row.matching;
    return `${JSON.stringify(found, null, 2)}\n`;
  }
  if (found.length === 0) return 'no rows\n';
  const table = textTable(view.shown, found.map((row) => view.shown.map(({ name, kind }) => shownCell(kind, row[name]))));
  return found.length < matching ? `${table}the newest ${found.length} of ${matching} rows; --limit N shows more\n` : table;
}
