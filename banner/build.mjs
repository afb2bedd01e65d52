// Builds static/: minified scripts with one free name, `$`, meant to stand in the function that the server wraps around
// them. banner.js from main.js, and plain.js, which leaves out what no plain policy needs; both again with what takes a
// choice along to other origins; the guard's two forms; what makes it strict. The same sources give the same bytes.
import { readFile, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";
import { minify } from "terser";

// Names that never leave the script: neither in the settings, the API, the DOM nor in what is stored or sent.
const INTERNAL = [
  "announce", "awake", "box", "claim", "clear", "decide", "denied", "drop", "embed", "emit", "enter", "flush",
  "headless", "held", "hold", "home", "input", "it", "keep", "keepReceipt", "label", "lead", "live", "mend", "nodes",
  "places", "read", "record", "refused", "rewrite", "round", "save", "shown", "sweep", "sync", "vouch", "waiting",
];

/** Every declaration ends in a semicolon, at which the view makes it important. */
const sheet = {
  name: "sheet",
  setup(plugin) {
    plugin.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.trim().replace(/[^{};](?=})/g, "$&;").replace(/: /g, ":"), loader: "text" };
    });
  },
};

/** All modules in one, unminified. @param {string} entry @param {boolean} services @param {boolean} across */
async function bundle(entry, services, across) {
  const { outputFiles } = await build({
    entryPoints: [`banner/${entry}.js`],
    plugins: [sheet],
    define: { __CONSENT__: "$", __GUARD__: "$", __STRICT__: "$", __SERVICES__: `${services}`, __ACROSS__: `${across}` },
    bundle: true,
    minifySyntax: true,
    format: "esm",
    target: "es2021",
    charset: "utf8",
    write: false,
  });
  return outputFiles[0].text;
}

const folder = process.argv[2] || "static";

/** @type {[string, string, boolean, boolean?][]} what is made of which source, with what plain policies do not need, with what follows links */
const SCRIPTS = [["banner", "main", true], ["plain", "main", false], ["banner-across", "main", true, true], ["plain-across", "main", false, true],
  ["guard", "guard", true], ["guard-plain", "guard", false], ["strict", "strict", true]];

for (const [name, entry, services, across = false] of SCRIPTS) {
  const { code } = await minify(await bundle(entry, services, across), {
    ecma: 2021,
    module: true,
    compress: { passes: 3, unsafe_arrows: true, toplevel: true, hoist_funs: true },
    mangle: { properties: { builtins: true, regex: new RegExp(`^(${INTERNAL.join("|")})$`) } },
  });
  await writeFile(`${folder}/${name}.js`, code);
  console.log(`${folder}/${name}.js: ${Buffer.byteLength(code)} bytes, ${gzipSync(code, { level: 9 }).length} gzip`);
}
