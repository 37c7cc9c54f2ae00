/** All pages. To add one: one entry here, its component under `src/pages/<page>/`. */
import type { Component } from "svelte";

export interface Page {
  /** `:name` stands for one step of the path and is handed to the component as a prop. */
  path: string;
  title: string;
  /** Its place in the navigation, as on a record: side and number; pages without one are reached by links. */
  mark?: string;
  load: () => Promise<{ default: Component<never> }>;
}

export const pages: readonly Page[] = [
  { mark: "A1", path: "/", title: "Overview", load: () => import("../pages/overview/Overview.svelte") },
  { mark: "A2", path: "/studio/ingest", title: "Ingest", load: () => import("../pages/ingest/Ingest.svelte") },
  { mark: "A4", path: "/studio/map", title: "Map", load: () => import("../pages/map/Map.svelte") },
  { mark: "A3", path: "/studio/explore", title: "Explore", load: () => import("../pages/explore/Explore.svelte") },
  { path: "/studio/track/:id", title: "Track", load: () => import("../pages/track/Track.svelte") },
  { path: "/studio/album/:id", title: "Album", load: () => import("../pages/album/Album.svelte") },
  { path: "/studio/artist/:id", title: "Artist", load: () => import("../pages/artist/Artist.svelte") },
  { path: "/studio/playlist", title: "Playlist", load: () => import("../pages/playlist/Playlist.svelte") },
  { mark: "B1", path: "/studio/analytics", title: "Analytics", load: () => import("../pages/analytics/Analytics.svelte") },
  { mark: "B2", path: "/studio/datasets", title: "Data sets", load: () => import("../pages/datasets/DataSets.svelte") },
  { path: "/studio/datasets/new", title: "New data set", load: () => import("../pages/datasets/Builder.svelte") },
  { path: "/studio/datasets/:named", title: "Data set", load: () => import("../pages/datasets/DataSet.svelte") },
  { mark: "B3", path: "/studio/quality", title: "Quality", load: () => import("../pages/quality/Quality.svelte") },
  { mark: "B4", path: "/studio/listeners", title: "Listeners", load: () => import("../pages/listeners/Listeners.svelte") },
];

export const navigation = pages.filter((page) => page.mark).sort((a, b) => a.mark!.localeCompare(b.mark!));

export interface Found {
  page: Page;
  props: Record<string, string>;
}

/** The page at a path, with what its path says; null where there is none. */
export function pageAt(path: string): Found | null {
  const steps = path.replace(/(.)\/+$/, "$1").split("/");
  for (const page of pages) {
    const wanted = page.path.split("/");
    if (wanted.length !== steps.length) continue;
    const props: Record<string, string> = {};
    const fits = wanted.every((want, at) => {
      if (!want.startsWith(":")) return want === steps[at];
      props[want.slice(1)] = decoded(steps[at]!);
      return steps[at] !== "";
    });
    if (fits) return { page, props };
  }
  return null;
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step; // a stray % in an address typed by hand
  }
}
