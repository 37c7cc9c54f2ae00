/** The list that is being put together; it outlives going to another page and back. */
export interface Wanted {
  artist: string;
  album: string;
  /** Its page on Album of the Year, where it was given. */
  aoty?: string;
}

class AlbumList {
  rows = $state.raw<readonly Wanted[]>([]);

  /** Add albums that are not in it yet; how many were new. */
  add(more: readonly Wanted[]): number {
    const known = new Map(this.rows.map((row) => [keyOf(row), row]));
    const before = known.size;
    for (const row of more) {
      const clean = { ...row, artist: row.artist.trim(), album: row.album.trim() };
      if (clean.artist && clean.album && !known.has(keyOf(clean))) known.set(keyOf(clean), clean);
    }
    this.rows = [...known.values()];
    return known.size - before;
  }

  remove(row: Wanted): void {
    this.rows = this.rows.filter((other) => other !== row);
  }

  clear(): void {
    this.rows = [];
  }
}

export const list = new AlbumList();

export const keyOf = (row: Wanted): string => `${row.artist}\n${row.album}`.toLowerCase();

/** As a batch and a plan take it: pairs, album first; an object where there is more to say. */
export const asBatch = (rows: readonly Wanted[]): ([string, string] | { album_name: string; artist_name: string; aoty_url: string })[] =>
  rows.map((row) => (row.aoty ? { album_name: row.album, artist_name: row.artist, aoty_url: row.aoty } : [row.album, row.artist]));
