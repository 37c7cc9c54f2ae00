/** A column of `Table.svelte`. */
export interface Column<R> {
  key: string;
  title: string;
  /** What stands in the cell; `cell` overrides it. */
  text?: (row: R) => string | number | null | undefined;
  number?: boolean;
  /** As a grid track: "6rem", "2fr"; 1fr by default. */
  width?: string;
  sorts?: boolean;
}
