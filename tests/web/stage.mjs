// stage.mjs - what the page's test needs around it: a robot that streams as it is told, the server, a browser.
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { createRequire } from "node:module";

export const HOST = "127.8.8.8", PORT = 9980, CHAT_PORT = 9999, ROBOT_PORT = 8000;
const WAIT_MS = 15000;

// Wait until `is` gives something true.
export async function until(is, what) {
	const by = Date.now() + WAIT_MS;
	for (;;) {
		const got = await is();
		if (got)
			return got;
		if (Date.now() > by)
			throw new Error(`waited in vain: ${what}`);
		await new Promise(go => setTimeout(go, 20));
	}
}

// A robot of type openai. The answer to a question is the first of `answers` whose key it holds, else its echo. Pieces come
// `gap_ms` apart; with `held`, each waits for step().
export class Robot {
	constructor() {
		this.answers = new Map();
		this.gap_ms = 0;
		this.held = false;
		this.reply = null;
		this.steps = [];
		this.asked = [];
		this.server = http.createServer((q, a) => this.serve(q, a));
	}
	async start() {
		this.server.listen(ROBOT_PORT, HOST);
		await once(this.server, "listening");
	}
	stop() {
		this.server.closeAllConnections();
		this.server.close();
	}
	step() {
		for (const go of this.steps.splice(0))
			go();
	}
	release() {
		this.held = false;
		this.step();
	}
	async serve(q, a) {
		let body = "";
		for await (const part of q)
			body += part;
		const said = JSON.parse(body).messages.at(-1).content;
		const key = [...this.answers.keys()].find(k => said.includes(k));
		const answer = key === undefined ? `echo:${said}` : this.answers.get(key);
		this.asked.push(said);
		if (this.reply !== null) {
			a.writeHead(200, { "Content-Type": "application/json" });
			a.end(this.reply);
			return;
		}
		a.writeHead(200, { "Content-Type": "text/event-stream" });
		for (const piece of answer.match(/[^\n ]{1,4}|[\n ]+/gu) ?? [""]) {
			if (this.held)
				await new Promise(go => this.steps.push(go));
			else if (this.gap_ms)
				await new Promise(go => setTimeout(go, this.gap_ms));
			if (a.destroyed)
				return;
			a.write(`data: ${JSON.stringify({ choices: [{ delta: { content: piece } }] })}\n\n`);
		}
		a.end(`data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`);
	}
}

function isGone(pid) {
	try {
		return fs.readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
	} catch {
		return true;
	}
}

export class Server {
	constructor(bin) {
		this.bin = path.resolve(bin, "xiaotud");
		this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "xiaotu-web-"));
		this.conf = path.join(this.folder, "xiaotud.conf");
	}
	async start({ more = "", origins = "", chats = false } = {}) {
		fs.writeFileSync(this.conf, `workers = 2; control = ""; pid_file = "${this.folder}/pid";
			limits = { messages_per_minute = 0; }; ${more}
			listen = ( ${chats ? `{ address = "${HOST}"; port = ${CHAT_PORT}; },` : ""} { address = "${HOST}"; port = ${PORT}; speak = "web"; ${origins ? `origins = "${origins}";` : ""} } );
			robots = ( { name = "model"; type = "openai"; url = "http://${HOST}:${ROBOT_PORT}/v1"; model = "m"; api_key = "k"; } );\n`,
			{ mode: 0o600 });
		this.log = "";
		this.process = spawn(this.bin, ["-c", this.conf], { stdio: ["ignore", "ignore", "pipe"] });
		this.process.stderr.on("data", d => { this.log += d; });
		await until(() => this.log.includes("ev=ready"), `the server: ${this.log}`);
	}
	pid() {
		return Number(fs.readFileSync(path.join(this.folder, "pid"), "utf8"));
	}
	// USR2: the program that takes over writes to the same log.
	async upgrade() {
		const old = this.pid();
		process.kill(old, "SIGUSR2");
		await until(() => this.pid() !== old && isGone(old), "the new program");
	}
	async stop() {
		const pid = this.pid();
		process.kill(pid, "SIGTERM");
		await until(() => isGone(pid), "the server's end");
	}
	remove() {
		fs.rmSync(this.folder, { recursive: true });
	}
}

export function url() {
	return `http://${HOST}:${PORT}/`;
}

// playwright-core is looked for in the folder MODULES; the browser is the system's.
export async function browse(modules) {
	const require = createRequire(path.resolve(modules, "x.js"));
	const { chromium } = require("playwright-core");
	const profile = fs.mkdtempSync(path.join(os.tmpdir(), "xiaotu-browser-"));
	return {
		async open(options) {
			const folder = fs.mkdtempSync(path.join(profile, "p-"));
			return chromium.launchPersistentContext(folder, {
				executablePath: "/usr/bin/chromium",
				headless: true,
				...options,
				args: [...options.args ?? [], "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
					"--disable-background-networking", "--disable-component-update", "--disable-sync"],
			});
		},
		remove() {
			fs.rmSync(profile, { recursive: true, force: true });
		},
	};
}
