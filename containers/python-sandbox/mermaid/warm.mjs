// Keeps a browser with a page in which Mermaid is loaded, and runs mermaid-cli against it.
//
//   node warm.mjs SOCKET
//
// One JSON line per request: {argv, cwd}. Answers are JSON lines: {fd, data} for what the command writes, then
// {exit}. The command itself is mermaid-cli unchanged; only its browser is here already. Started by the worker of the
// sandbox's mermaid profile, which serves one run and dies with it, so nothing here outlives or is shared by runs.

import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import url from "node:url";
import { createInterface } from "node:readline";

const here = path.dirname(url.fileURLToPath(import.meta.url));
const modules = path.join(here, "node_modules");
const load = (name) => import(url.pathToFileURL(path.join(modules, name)).href);

const { default: puppeteer } = await import("puppeteer");
const { cli, renderMermaid } = await load("@mermaid-js/mermaid-cli/src/index.js");
const settings = JSON.parse(fs.readFileSync(path.join(here, "puppeteer.json"), "utf-8"));
const browser = await puppeteer.launch(settings);

class Exit extends Error {
  constructor(code) {
    super(`exit ${code}`);
    this.code = code ?? 0;
  }
}

// A page on which mermaid-cli has drawn once: what it loads there a second time is there already.
async function preparedPage() {
  const page = await browser.newPage();
  const close = page.close.bind(page);
  page.close = async () => {};
  await renderMermaid({ newPage: async () => page }, "graph TD; A-->B", "svg", {
    viewport: { width: 800, height: 600, deviceScaleFactor: 1 },
  });
  page.removeAllListeners("console");
  await page.$eval("#container", (container) => {
    container.innerHTML = "";
  });
  page.close = close;
  return new Proxy(page, {
    get(target, name) {
      if (name === "goto" || name === "setRequestInterception" || name === "addStyleTag") {
        return async () => {};
      }
      if (name === "on") {
        return (event, handler) => (event === "request" ? target : target.on(event, handler));
      }
      const value = target[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

let next = preparedPage();
const facade = {
  newPage: async () => {
    const page = next ?? preparedPage();
    next = null;
    return page;
  },
  close: async () => {},
};
puppeteer.launch = async () => facade;
await next;

let speaker = null;
const say = (fd) => (data, encoding, done) => {
  if (speaker !== null) {
    const bytes = typeof data === "string" ? Buffer.from(data) : Buffer.from(data);
    speaker.write(`${JSON.stringify({ fd, data: bytes.toString("base64") })}\n`);
  }
  const callback = typeof encoding === "function" ? encoding : done;
  callback?.();
  return true;
};
process.stdout.write = say(1);
process.stderr.write = say(2);
process.exit = (code) => {
  throw new Exit(code);
};

async function run({ argv, cwd }) {
  process.chdir(cwd);
  process.argv = [process.execPath, "mmdc", ...argv];
  try {
    await cli();
    return 0;
  } catch (failure) {
    if (failure instanceof Exit) return failure.code;
    process.stderr.write(`\n${failure?.stack ?? failure}\n\n`);
    return 1;
  }
}

let queue = Promise.resolve();
const server = net.createServer((connection) => {
  connection.on("error", () => {});
  createInterface({ input: connection }).once("line", (line) => {
    queue = queue.then(async () => {
      speaker = connection;
      const code = await run(JSON.parse(line)).catch(() => 1);
      speaker = null;
      connection.end(`${JSON.stringify({ exit: code })}\n`);
      // Only now: while a diagram is drawn, its processor is not shared with the next page.
      next ??= preparedPage();
      next.catch(() => {});
    });
  });
});
process.on("uncaughtException", () => {});
process.on("unhandledRejection", () => {});

// Bound under another name first: once the name is there, the server answers.
const socket = process.argv[2];
server.listen(`${socket}.new`, () => fs.renameSync(`${socket}.new`, socket));
