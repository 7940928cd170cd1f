/** An error for the person at the keyboard: what happened, and what to do next. The command line prints both. */
export class GuidedError extends Error {
  override name = 'GuidedError';
  readonly nextStep: string;

  constructor(message: string, nextStep: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.nextStep = nextStep;
  }
}
