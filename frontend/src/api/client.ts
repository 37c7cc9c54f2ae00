/** The one way to the API: typed by its own description, errors as `Problem`, signing in where the server wants it. */
import { asProblem, Problem, problemOf } from "./problem";
import type { components, paths } from "./schema";
import { askForKey, session } from "./session.svelte";

export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

type Method = "get" | "post" | "patch" | "delete";
type With<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never }[keyof paths];
type Operation<P extends keyof paths, M extends Method> = Extract<paths[P][M & keyof paths[P]], { responses: unknown }>;
type Success<O> = O extends { responses: infer R } ? R[Extract<keyof R, 200 | 201 | 202>] : never;
type Json<O> = Success<O> extends { content: { "application/json": infer T } } ? T : undefined;
type Path<O> = O extends { parameters: { path: infer T } } ? T : undefined;
type Query<O> = O extends { parameters: { query?: infer T } } ? T : undefined;
type Body<O> = O extends { requestBody?: { content: { "application/json": infer T } } } ? T : undefined;

export interface Options<O = unknown> {
  path?: Path<O>;
  query?: Query<O>;
  signal?: AbortSignal;
}
export interface Sent<O = unknown> extends Options<O> {
  /** JSON, or a file sent as it is under its own type. */
  body?: Body<O> | Blob;
  /** Files instead of JSON; each is sent as a part called `files`. */
  files?: readonly File[];
}

export const get = <P extends With<"get">>(path: P, options: Options<Operation<P, "get">> = {}) =>
  json<Json<Operation<P, "get">>>("GET", path, options);
export const post = <P extends With<"post">>(path: P, options: Sent<Operation<P, "post">> = {}) =>
  json<Json<Operation<P, "post">>>("POST", path, options);
export const patch = <P extends With<"patch">>(path: P, options: Sent<Operation<P, "patch">> = {}) =>
  json<Json<Operation<P, "patch">>>("PATCH", path, options);
export const remove = <P extends With<"delete">>(path: P, options: Sent<Operation<P, "delete">> = {}) =>
  json<Json<Operation<P, "delete">>>("DELETE", path, options);

/** Any answer as it came, for text, Arrow and downloads: `(await fetched("GET", "/ml/training-data", {query, accept})).arrayBuffer()`. */
export async function fetched(
  method: string,
  path: string,
  options: { path?: unknown; query?: unknown; body?: unknown; files?: readonly File[]; accept?: string; signal?: AbortSignal } = {},
): Promise<Response> {
  for (;;) {
    const before = session.signedIn;
    const answer = await once(method, address(path, options.path, options.query), options);
    if (answer.ok) return answer;
    const problem = await problemOf(answer);
    // Somebody may have signed in meanwhile for another request; else a person is asked, and who declines gets the refusal.
    if (answer.status !== 401 || !(session.signedIn > before || (await askForKey(problem.message)))) throw problem;
  }
}

/** A path of the API with its parameters filled in; for links and downloads as well. */
export function address(path: string, params?: unknown, query?: unknown): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String((params as Record<string, unknown>)[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries((query ?? {}) as Record<string, unknown>)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null && one !== "") search.append(name, String(one));
    }
  }
  return search.size ? `${filled}?${search}` : filled;
}

type Given = Parameters<typeof fetched>[2];

async function json<T>(method: string, path: string, options: Given): Promise<T> {
  const answer = await fetched(method, path, { ...options, accept: "application/json" });
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

async function once(
  method: string,
  url: string,
  options: { body?: unknown; files?: readonly File[]; accept?: string; signal?: AbortSignal },
): Promise<Response> {
  const headers = new Headers({ accept: options.accept ?? "*/*" });
  let body: BodyInit | undefined;
  if (options.files) {
    const form = new FormData();
    for (const file of options.files) form.append("files", file, file.name);
    body = form;
  } else if (options.body instanceof Blob) {
    body = options.body;
  } else if (options.body !== undefined) {
    headers.set("content-type", "application/json");
    body = JSON.stringify(options.body);
  }
  try {
    return await fetch(url, { method, headers, body, signal: options.signal });
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === "AbortError") throw thrown;
    throw asProblem(thrown);
  }
}

export { asProblem, Problem };
