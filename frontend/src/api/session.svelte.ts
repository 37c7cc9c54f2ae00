/** Signing in, for servers that want a key: it is given once for a cookie that scripts cannot read. The shell asks (`app/KeyQuestion.svelte`). */
import { problemOf } from "./problem";

/** How often somebody has signed in while this page was open: who was refused before tries again. */
export const session = { signedIn: 0 };
export const question = $state<{ reason: string | null }>({ reason: null });

let waiting: Promise<boolean> | null = null;
let settle: ((given: boolean) => void) | null = null;

/** Ask for a key; everybody who waits shares one question. Resolves to whether somebody signed in. */
export function askForKey(reason: string): Promise<boolean> {
  question.reason = reason;
  waiting ??= new Promise<boolean>((resolve) => (settle = resolve));
  return waiting;
}

/** Sign in with a key; throws a `Problem` when the server does not know it. */
export async function signIn(key: string): Promise<void> {
  const answer = await fetch("/session", { method: "POST", headers: { "x-api-key": key.trim() } });
  if (!answer.ok) throw await problemOf(answer);
  session.signedIn += 1;
  close(true);
}

/** Leave the question unanswered: what was asked for stays refused. */
export const decline = (): void => close(false);

function close(given: boolean): void {
  question.reason = null;
  settle?.(given);
  waiting = settle = null;
}
