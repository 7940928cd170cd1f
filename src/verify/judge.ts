import type { Findings } from './breach.js';
import { checkDeltas } from './delta-checks.js';
import type { BookEvidence } from './evidence.js';
import { checkLinks } from './link-checks.js';
import { checkMoney } from './money-equation.js';
import { checkResiduals } from './order-checks.js';
import { checkSizes, sizedPoints } from './size-equation.js';

/** Everything that must hold of one book. */
export function judgeBook(evidence: BookEvidence, findings: Findings): void {
  const points = sizedPoints(evidence);
  checkLinks(evidence, findings);
  checkSizes(evidence, points, findings);
  checkDeltas(evidence, findings);
  checkMoney(evidence, points, findings);
  checkResiduals(evidence, findings);
}
