/** The same recipe in the languages that people build with. */
import type { Recipe } from "./recipe";

type Plain = string | number | boolean | null | readonly Plain[] | { readonly [name: string]: Plain };

/** TOML, as `tensoe dataset build` reads it. */
export function asToml(recipe: Recipe): string {
  const { filter = {}, split = {}, features = [], as_of, ...plain } = recipe;
  const lines = Object.entries(plain).map(([name, value]) => `${name} = ${toml(value as Plain)}`);
  if (as_of) lines.push(`as_of = ${as_of}`);
  for (const [table, values] of [["filter", filter], ["split", split]] as const) {
    const told = Object.entries(values as Record<string, Plain>).filter(([, value]) => value !== null);
    if (told.length) lines.push("", `[${table}]`, ...told.map(([name, value]) => `${name} = ${toml(value)}`));
  }
  for (const block of features) {
    lines.push("", "[[features]]", ...Object.entries(block as Record<string, Plain>).map(([name, value]) => `${name} = ${toml(value)}`));
  }
  return lines.join("\n") + "\n";
}

export function asCli(recipe: Recipe): string {
  const file = `${recipe.name}.toml`;
  return `cat > ${file} <<'RECIPE'\n${asToml(recipe)}RECIPE\ntensoe dataset build ${file}\n`;
}

export function asCurl(recipe: Recipe, server: string, key: boolean): string {
  const header = key ? ` \\\n  -H "x-api-key: $TENSOE_KEY"` : "";
  const body = JSON.stringify(recipe, null, 1).replaceAll("'", "'\\''");
  return (
    `curl -sS ${server}/ml/datasets -H 'content-type: application/json'${header} -d '${body}'\n` +
    `# answers with an id; how far it is:  curl -sS ${server}/ml/datasets/work/<id>\n`
  );
}

export function asPython(recipe: Recipe, server: string, key: boolean): string {
  const headers = key ? `{"content-type": "application/json", "x-api-key": os.environ["TENSOE_KEY"]}` : `{"content-type": "application/json"}`;
  return `import json
${key ? "import os\n" : ""}import time
import urllib.request

server = ${python(server)}
recipe = ${python(recipe as unknown as Plain, 0)}


def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server + path, data, ${headers})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


task = ask("/ml/datasets", recipe)
while task["state"] not in ("done", "failed"):
    time.sleep(0.5)
    task = ask("/ml/datasets/work/" + task["id"])
print(task["result"] or task["detail"])
# then, for example:
# pandas.read_parquet(f"{server}/ml/datasets/{task['result']}/files/features/train.parquet")
`;
}

function toml(value: Plain): string {
  if (Array.isArray(value)) return `[${value.map(toml).join(", ")}]`;
  if (value !== null && typeof value === "object") {
    return `{${Object.entries(value).map(([name, one]) => `${/^[A-Za-z0-9_-]+$/.test(name) ? name : quoted(name)} = ${toml(one)}`).join(", ")}}`;
  }
  return typeof value === "string" ? quoted(value) : String(value);
}

// A TOML text may hold every escape that JSON writes; it may not hold DEL as it is, which JSON may.
const quoted = (text: string): string => JSON.stringify(text).replaceAll("\u007f", "\\u007F");

function python(value: Plain, depth = 0): string {
  const inside = "    ".repeat(depth + 1);
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) {
    const flat = `[${value.map((one) => python(one)).join(", ")}]`;
    if (!value.some((one) => typeof one === "object")) return flat;
    return `[\n${value.map((one) => `${inside}${python(one)},\n`).join("")}${"    ".repeat(depth)}]`;
  }
  const entries = Object.entries(value as { readonly [name: string]: Plain });
  if (depth > 0 || !entries.length) return `{${entries.map(([name, one]) => `${JSON.stringify(name)}: ${python(one, 1)}`).join(", ")}}`;
  return `{\n${entries.map(([name, one]) => `${inside}${JSON.stringify(name)}: ${python(one, 1)},\n`).join("")}}`;
}
