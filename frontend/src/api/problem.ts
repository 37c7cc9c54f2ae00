/** What went wrong with a request, as a sentence for the person who made it. */
export class Problem extends Error {
  override name = "Problem";

  constructor(
    /** HTTP status; 0 when no answer came at all. */
    readonly status: number,
    readonly title: string,
    detail: string,
    /** The rest of the problem document: `result`, `sources` and whatever else the API says. */
    readonly more: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
  }
}

/** Turn an answer that is not a success into a problem, whatever form it has. */
export async function problemOf(answer: Response): Promise<Problem> {
  if ((answer.headers.get("content-type") ?? "").includes("json")) {
    const body = (await answer.json()) as Record<string, unknown>;
    const title = String(body.title ?? answer.statusText);
    return new Problem(answer.status, title, String(body.detail ?? title), body);
  }
  return new Problem(answer.status, `Answer ${answer.status}`, "The server, or what stands before it, refused without saying why; its log says more.");
}

/** Anything that was thrown while loading, as a problem. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof TypeError && /fetch|network|load failed/i.test(thrown.message)) {
    return new Problem(0, "No answer", "The server does not answer. Is it still running? Start it with make run, then try again.");
  }
  return new Problem(0, "An error in this page", thrown instanceof Error ? thrown.message : String(thrown));
}
