// Builds static/banner.js from banner/main.js: one minified classic script whose only free name is __CONSENT__.
// The same sources give the same bytes. Every declaration of style.css becomes important here, not by hand.
import { readFile, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const target = "es2020";

const sheet = {
  name: "sheet",
  setup(plugin) {
    plugin.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

const { outputFiles } = await build({
  entryPoints: ["banner/main.js"],
  plugins: [sheet],
  bundle: true,
  minify: true,
  format: "iife",
  target,
  charset: "utf8",
  legalComments: "none",
  write: false,
});

const [{ contents }] = outputFiles;
await writeFile("static/banner.js", contents);
console.log(`static/banner.js: ${contents.length} bytes, ${gzipSync(contents, { level: 9 }).length} gzip`);
