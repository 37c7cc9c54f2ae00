/** Dark or light: the system's, unless the switch says otherwise; kept in this browser. `first.js` sets it before the first paint. */
export type Theme = "light" | "dark";

const NAME = "tensoe-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

class Choice {
  #system = $state<Theme>(system.matches ? "dark" : "light");
  #chosen = $state<string | undefined>(document.documentElement.dataset.theme);

  constructor() {
    system.addEventListener("change", () => (this.#system = system.matches ? "dark" : "light"));
  }

  /** What is shown. */
  get shown(): Theme {
    return this.#chosen === "light" || this.#chosen === "dark" ? this.#chosen : this.#system;
  }

  flip = (): void => {
    const next: Theme = this.shown === "dark" ? "light" : "dark";
    this.#chosen = next;
    document.documentElement.dataset.theme = next;
    localStorage.setItem(NAME, next);
  };
}

export const theme = new Choice();

/** Tokens as colours that a canvas understands, in the theme that is shown: `colours("ink", "cat-1")`. */
export function colours<Name extends string>(...names: Name[]): Record<Name, string> {
  void theme.shown; // who reads it in an effect runs again when the theme changes
  const probe = document.body.appendChild(document.createElement("span"));
  probe.hidden = true;
  const found = {} as Record<Name, string>;
  for (const name of names) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

export const CATEGORIES = ["cat-1", "cat-2", "cat-3", "cat-4", "cat-5", "cat-6", "cat-7", "cat-8"] as const;
