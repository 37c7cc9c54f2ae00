/** The API key, for servers that want one; kept for this tab alone. The shell shows the question (`app/KeyQuestion.svelte`). */
const NAME = "tensoe-key";

export const key = $state({ value: sessionStorage.getItem(NAME) ?? "" });
export const question = $state<{ reason: string | null }>({ reason: null });

let waiting: Promise<boolean> | null = null;
let settle: ((given: boolean) => void) | null = null;

/** Ask for a key; everybody who waits shares one question. Resolves to whether one was given. */
export function askForKey(reason: string): Promise<boolean> {
  question.reason = reason;
  waiting ??= new Promise<boolean>((resolve) => (settle = resolve));
  return waiting;
}

/** Answer the question; null declines. */
export function answerWithKey(given: string | null): void {
  if (given !== null) {
    key.value = given.trim();
    sessionStorage.setItem(NAME, key.value);
  }
  question.reason = null;
  settle?.(given !== null);
  waiting = settle = null;
}
