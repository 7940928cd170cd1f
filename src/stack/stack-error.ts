import { GuidedError } from '../config/guided-error.js';

/** Something about the stack that a person has to mend: what is wrong, and the one thing to do next. */
export class StackError extends GuidedError {
  override name = 'StackError';
}
