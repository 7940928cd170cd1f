/** One earlier version of some schema, before it is known of which. Lists of them are oldest first. */
export interface EarlierFile {
  /** Inside its folder, with /: what tells which schema it belongs to, beside the names in the text. */
  readonly path: string;
  readonly text: string;
  /** Where the file stood, as findings name files. */
  readonly file: string;
  /** For findings: which version it is and where it was found. */
  readonly label: string;
  /** Whether it is part of the latest state, which schemas must not vanish from. */
  readonly isLatest: boolean;
}
