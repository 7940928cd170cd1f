/** Something about the stack that a person has to mend: what is wrong, and the one thing to do next. */
export class StackError extends Error {
  readonly nextStep: string;

  constructor(cause: string, nextStep: string) {
    super(`${cause}\n  next: ${nextStep}`);
    this.name = 'StackError';
    this.nextStep = nextStep;
  }
}
