// Builds static/banner.js from banner/main.js: one minified script whose only free name is __CONSENT__, meant to stand
// in the function that the server wraps around it; and static/plain.js, which leaves out what only policies with
// services need. The same sources give the same bytes.
import { readFile, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";
import { minify } from "terser";

// Names that never leave the script: neither in the settings, the API, the DOM nor in what is stored or sent.
const INTERNAL = ["announce", "awake", "clear", "emit", "flush", "headless", "hold", "home", "mend", "keepReceipt", "live",
  "nodes", "read", "record", "refused", "round", "shown", "sync", "waiting", "write"];

const sheet = {
  name: "sheet",
  setup(plugin) {
    plugin.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

/** All modules in one, unminified. @param {boolean} services */
async function bundle(services) {
  const { outputFiles } = await build({
    entryPoints: ["banner/main.js"],
    plugins: [sheet],
    define: { __SERVICES__: `${services}` },
    bundle: true,
    minifySyntax: true,
    format: "esm",
    target: "es2020",
    charset: "utf8",
    write: false,
  });
  return outputFiles[0].text;
}

const folder = process.argv[2] || "static";

for (const [name, services] of [["banner", true], ["plain", false]]) {
  const { code } = await minify(await bundle(services), {
    ecma: 2020,
    module: true,
    compress: { passes: 3, unsafe_arrows: true, toplevel: true },
    mangle: { properties: { regex: new RegExp(`^(${INTERNAL.join("|")})$`) } },
  });
  await writeFile(`${folder}/${name}.js`, code);
  console.log(`${folder}/${name}.js: ${Buffer.byteLength(code)} bytes, ${gzipSync(code, { level: 9 }).length} gzip`);
}
