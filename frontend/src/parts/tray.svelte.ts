/** The list that tracks are put on from anywhere; kept in this browser, the same in all its tabs. */
import { toast } from "./toast.svelte";

export interface Listed {
  id: string;
  title: string;
  artist: string;
  album?: string | null;
  release_year?: number | null;
  duration_ms?: number | null;
}

const NAME = "tensoe-list";
/** As many as the API writes into one playlist. */
export const MOST = 500;

class Tray {
  tracks = $state.raw<readonly Listed[]>(kept());
  #ids = $derived(new Set(this.tracks.map((track) => track.id)));

  constructor() {
    addEventListener("storage", (event) => event.key === NAME && (this.tracks = kept()));
  }

  has = (id: string): boolean => this.#ids.has(id);

  /** Put tracks at the end; those that are there already stay where they are. */
  add = (...tracks: readonly Listed[]): void => {
    const fresh = tracks.filter((track, at) => !this.has(track.id) && tracks.findIndex((other) => other.id === track.id) === at);
    const taken = fresh.slice(0, Math.max(0, MOST - this.tracks.length));
    this.set([...this.tracks, ...taken.map(({ id, title, artist, album, release_year, duration_ms }) => ({ id, title, artist, album, release_year, duration_ms }))]);
    if (taken.length < fresh.length) toast(`The list holds ${MOST} tracks at the most; ${fresh.length - taken.length} did not fit`);
    else if (!fresh.length) toast("On your list already");
    else if (fresh.length > 1) toast(`${fresh.length} tracks are on your list`);
  };

  remove = (id: string): void => this.set(this.tracks.filter((track) => track.id !== id));

  /** Move a track to another place. */
  move = (from: number, to: number): void => {
    if (to < 0 || to >= this.tracks.length || from === to) return;
    const moved = [...this.tracks];
    moved.splice(to, 0, ...moved.splice(from, 1));
    this.set(moved);
  };

  set = (tracks: readonly Listed[]): void => {
    this.tracks = tracks;
    localStorage.setItem(NAME, JSON.stringify(tracks));
  };
}

function kept(): Listed[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    return Array.isArray(found) ? found.filter((track) => typeof track?.id === "string" && typeof track?.title === "string") : [];
  } catch {
    return []; // somebody else wrote there
  }
}

export const tray = new Tray();
