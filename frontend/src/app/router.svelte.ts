/** Where we are, over the history API: the path says which page, the query string in which state. */
class Route {
  path = $state(location.pathname);
  query = $state.raw(new URLSearchParams(location.search));

  /** A parameter of the query string; "" when it is not there. */
  get = (name: string): string => this.query.get(name) ?? "";
  all = (name: string): string[] => this.query.getAll(name);

  /** Read where the browser is now. */
  read = (): void => {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  };
}

export const route = new Route();
addEventListener("popstate", route.read);

/** Go to an address of the studio, as a step in the history. */
export function go(url: string, { replace = false } = {}): void {
  if (url === location.pathname + location.search) return;
  const other = new URL(url, location.href).pathname !== location.pathname;
  history[replace ? "replaceState" : "pushState"](null, "", url);
  route.read();
  if (other) scrollTo(0, 0);
}

export type Value = string | number | boolean | null | undefined | readonly string[];

/** This address with some parameters changed; empty ones fall away. */
export function withQuery(changed: Record<string, Value>, path = route.path): string {
  const query = new URLSearchParams(route.query);
  for (const [name, value] of Object.entries(changed)) {
    query.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== "" && one !== false) query.append(name, String(one));
    }
  }
  return query.size ? `${path}?${query}` : path;
}

/** Keep a state of the page in the address: `replace` while something is typed or dragged, a step else. */
export function setQuery(changed: Record<string, Value>, { replace = false } = {}): void {
  go(withQuery(changed), { replace });
}

/** Clicks on links that lead within the studio change the page without loading it anew. */
export function followLinks(event: MouseEvent, isOurs: (path: string) => boolean): void {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest("a");
  if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin || !isOurs(link.pathname)) return;
  if (link.hash && link.pathname === location.pathname) return;
  event.preventDefault();
  go(link.pathname + link.search);
}
