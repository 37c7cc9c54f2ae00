import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

/** The script that sets the theme before anything is painted: not a module, so Vite leaves it alone; hashed here. */
function firstScript(): Plugin {
  const source = readFileSync(new URL("src/app/first.js", import.meta.url), "utf8");
  const name = `assets/first-${createHash("sha256").update(source).digest("hex").slice(0, 8)}.js`;
  return {
    name: "first-script",
    apply: "build",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: name, source });
    },
    transformIndexHtml: (html) => html.replace("/src/app/first.js", `/studio/${name}`),
  };
}

/** Text is packed once, here, rather than at every request. */
function packed(): Plugin {
  let folder = "";
  return {
    name: "packed",
    apply: "build",
    configResolved: (config) => void (folder = resolve(config.root, config.build.outDir)),
    async closeBundle() {
      for (const name of await readdir(folder, { recursive: true })) {
        if (!/\.(js|css|html|svg|json)$/.test(name)) continue;
        const path = join(folder, name);
        await writeFile(`${path}.gz`, gzipSync(await readFile(path), { level: 9 }));
      }
    },
  };
}

const server = process.env.TENSOE_SERVER ?? "http://localhost:8000";
const api = ["/ml", "/albums", "/artists", "/tracks", "/recordings", "/users", "/listeners", "/search", "/import", "/system", "/metrics", "/docs", "/static"];

export default defineConfig({
  base: "/studio/",
  plugins: [svelte(), firstScript(), packed()],
  build: { outDir: "../backend/web/studio", emptyOutDir: true, target: "es2022", assetsInlineLimit: 0, reportCompressedSize: false },
  // `npx vite`: pages as they are written, data from a running server.
  server: { proxy: Object.fromEntries(api.map((path) => [path, server])) },
});
