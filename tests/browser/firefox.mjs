// Drives Firefox for the tests: one JSON command a line on standard input, one JSON answer a line on standard output.
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const browser = await puppeteer.launch({ browser: "firefox", executablePath: process.argv[2], headless: true });
let page;
const errors = [];

const commands = {
  async fresh() {
    const context = await browser.createBrowserContext();
    page = await context.newPage();
    page.on("pageerror", error => errors.push(String(error)));
    await page.setViewport({ width: 1280, height: 800 });
  },
  goto: url => page.goto(url, { waitUntil: "domcontentloaded" }).then(() => null),
  evaluate: code => page.evaluate(code),
  wait: code => page.waitForFunction(code, { timeout: 15000 }).then(() => null),
  click: selector => page.click(selector),
  press: key => page.keyboard.press(key),
  errors: () => errors.splice(0).filter(text => !text.includes("Content-Security-Policy")), // those are meant
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...given] = JSON.parse(line);
  const answer = {};
  try {
    answer.value = await commands[name](...given);
  } catch (error) {
    answer.error = String(error);
  }
  console.log(JSON.stringify(answer));
}
await browser.close();
