// check.mjs BIN MODULES [SHOTS] - the chat page in Chromium: every test has a page of its own. With SHOTS, pictures of it are
// written to that folder. One line a test; exit 1 when one failed.
import assert from "node:assert/strict";
import path from "node:path";
import { Robot, Server, browse, until, url } from "./stage.mjs";

const [bin, modules, shots] = process.argv.slice(2);
const DESKTOP = { viewport: { width: 960, height: 640 } }, PHONE = { viewport: { width: 390, height: 780 }, deviceScaleFactor: 1, hasTouch: true, isMobile: true };
const ZH = { locale: "zh-CN" }, EN = { locale: "en-US" };
const LIGHT = { colorScheme: "light" }, DARK = { colorScheme: "dark" };

const robot = new Robot(), server = new Server(bin), browser = await browse(modules);
const tests = [];
const test = (name, how, run) => tests.push({ name, how, run });

// A page that is connected. What it says on the console and asks of others is kept.
async function open(how) {
	const context = await browser.open(how);
	const page = context.pages()[0];
	page.noise = [];
	page.others = [];
	page.on("console", m => page.noise.push(m.text()));
	page.on("pageerror", e => page.noise.push(String(e)));
	page.on("request", r => { if (!r.url().startsWith(url()) && !r.url().startsWith("data:")) page.others.push(r.url()); });
	await page.goto(how.at ?? url());
	if (!how.at)
		await page.locator("#state.on").waitFor();
	return page;
}
const box = page => page.locator("#text");
const answers = page => page.locator(".row.robot .bubble");
async function ask(page, text) {
	await box(page).fill(text);
	await box(page).press("Enter");
}
async function shoot(page, name) {
	await page.waitForTimeout(400);
	if (shots)
		await page.screenshot({ path: path.join(shots, name) });
}
const lastAnswer = page => answers(page).last();
const heard = (page, text) => until(async () => await lastAnswer(page).textContent() === text, `the answer "${text}"`);

/* --- talking ------------------------------------------------------------------------------------------------------- */

test("greets in its language and answers", { ...DESKTOP, ...ZH, ...LIGHT }, async page => {
	assert.equal(await page.title(), "小图");
	assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
	assert.equal(await answers(page).first().textContent(), "你好，欢迎来到机器人聊天器！");
	await ask(page, "你好");
	await heard(page, "echo:你好");
	assert.deepEqual(page.others, []);
	assert.deepEqual(page.noise, []);
});

test("commands are for the server", { ...DESKTOP, ...ZH, ...LIGHT }, async page => {
	const asked = robot.asked.length;
	await ask(page, "/help");
	await until(async () => (await lastAnswer(page).textContent()).includes("/forget"), "the help");
	assert.equal(robot.asked.length, asked);
	await ask(page, "/etc is what?");
	await heard(page, "echo:/etc is what?");
});

test("is English elsewhere", { ...DESKTOP, ...EN, ...LIGHT }, async page => {
	assert.equal(await page.locator("html").getAttribute("lang"), "en");
	assert.equal(await page.getByRole("textbox", { name: "Say something…" }).count(), 1);
	assert.equal(await page.getByRole("button", { name: "Send" }).isDisabled(), true);
});

test("shows that it waits, then the answer as it comes", { ...DESKTOP, ...ZH, ...DARK }, async page => {
	robot.held = true;
	await ask(page, "一二三四五六七八九十");
	await page.locator(".dots").waitFor();
	await until(() => robot.steps.length === 1, "the question");
	robot.step();
	await heard(page, "echo");
	assert.equal(await page.locator(".row.robot").last().getAttribute("aria-busy"), "true");
	await until(() => robot.steps.length === 1, "the next piece");
	robot.step();
	await heard(page, "echo:一二三");
	robot.release();
	await heard(page, "echo:一二三四五六七八九十");
	await until(async () => await page.locator(".row.robot").last().getAttribute("aria-busy") === null, "the end");
});

test("keeps each answer behind its question", { ...DESKTOP, ...EN, ...LIGHT }, async page => {
	robot.held = true;
	for (const n of ["one", "two", "three"])
		await ask(page, n);
	robot.release();
	await heard(page, "echo:three");
	assert.deepEqual(await page.locator(".bubble").allTextContents(),
		["你好，欢迎来到机器人聊天器！", "one", "echo:one", "two", "echo:two", "three", "echo:three"]);
});

test("shows a script as text, and runs none", { ...DESKTOP, ...EN, ...LIGHT }, async page => {
	const bad = "<script>window.hit = 1</script><img src=x onerror=\"window.hit = 2\"><b>bold</b>";
	robot.answers.set("attack", bad);
	await ask(page, "attack <script>window.hit = 3</script>");
	await heard(page, bad);
	assert.equal(await page.evaluate(() => window.hit), undefined);
	assert.equal(await page.locator(".bubble script, .bubble img, .bubble b").count(), 0);
	assert.deepEqual(page.noise, []);
	/* Even one that got in is stopped. */
	await page.evaluate(() => {
		const s = document.createElement("script");
		s.textContent = "window.hit = 4";
		document.body.append(s);
	});
	assert.equal(await page.evaluate(() => window.hit), undefined);
});

test("says what went wrong and asks again when told to", { ...DESKTOP, ...EN, ...LIGHT }, async page => {
	await ask(page, "x".repeat(5000));
	await heard(page, "That is too long");
	await box(page).fill("short");
	await box(page).press("Enter");
	await heard(page, "echo:short");
});

/* --- typing -------------------------------------------------------------------------------------------------------- */

test("breaks the line at Shift+Enter", { ...DESKTOP, ...EN, ...LIGHT }, async page => {
	await box(page).pressSequentially("one");
	await box(page).press("Shift+Enter");
	await box(page).pressSequentially("two");
	assert.equal(await box(page).inputValue(), "one\ntwo");
	await box(page).press("Enter");
	await heard(page, "echo:one\ntwo");
});

test("leaves Enter to an input method that composes", { ...DESKTOP, ...ZH, ...LIGHT }, async page => {
	const devtools = await page.context().newCDPSession(page);
	await box(page).focus();
	await devtools.send("Input.imeSetComposition", { text: "ni hao", selectionStart: 6, selectionEnd: 6 });
	await page.evaluate(() => {
		const key = { key: "Enter", bubbles: true, cancelable: true };
		const text = document.getElementById("text");
		text.dispatchEvent(new KeyboardEvent("keydown", { ...key, isComposing: true }));
		text.dispatchEvent(new KeyboardEvent("keydown", { ...key, keyCode: 229 }));
	});
	assert.equal(await page.locator(".row.mine").count(), 0);
	await devtools.send("Input.insertText", { text: "你好" });
	await box(page).press("Enter");
	await heard(page, "echo:你好");
});

test("remembers the name and what was typed", { ...DESKTOP, ...EN, ...LIGHT }, async page => {
	await page.getByLabel("Your name").fill("安安");
	await box(page).fill("half a thought");
	await page.reload();
	await page.locator("#state.on").waitFor();
	assert.equal(await page.getByLabel("Your name").inputValue(), "安安");
	assert.equal(await box(page).inputValue(), "half a thought");
});

test("can be used by keyboard and is told to screen readers", { ...DESKTOP, ...EN, ...LIGHT }, async page => {
	assert.equal(await page.getByRole("log", { name: "Conversation" }).getAttribute("aria-live"), "polite");
	assert.equal(await page.getByRole("status").textContent(), "Online");
	await page.keyboard.type("typed at once");
	await page.keyboard.press("Tab");
	assert.equal(await page.evaluate(() => document.activeElement.id), "send");
	await page.keyboard.press("Enter");
	await heard(page, "echo:typed at once");
	assert.equal(await page.evaluate(() => document.activeElement.id), "text");
});

test("fits a narrow phone, however long a word", { ...PHONE, viewport: { width: 320, height: 560 }, ...ZH, ...LIGHT }, async page => {
	await ask(page, "w".repeat(300));
	await heard(page, "echo:" + "w".repeat(300));
	assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
	const low = await page.locator("#form").boundingBox();
	assert.ok(low.y + low.height <= 560);
});

test("stays where somebody reads, and leads back to the end", { ...PHONE, ...EN, ...LIGHT }, async page => {
	for (let i = 0; i < 12; i++)
		await ask(page, `line ${i}`);
	await heard(page, "echo:line 11");
	await page.locator("#log").evaluate(e => { e.scrollTop = 0; });
	await page.waitForTimeout(100);
	robot.held = true;
	await box(page).fill("more");
	await box(page).press("Enter");
	await page.locator("#log").evaluate(e => { e.scrollTop = 0; });
	await page.waitForTimeout(100);
	robot.release();
	await heard(page, "echo:more");
	assert.equal(await page.locator("#log").evaluate(e => e.scrollTop), 0);
	await page.getByRole("button", { name: "To the latest message" }).click();
	await until(() => page.locator("#log").evaluate(e => e.scrollHeight - e.scrollTop - e.clientHeight < 2), "the end");
});

/* --- what happens to the server ------------------------------------------------------------------------------------ */

test("connects again after a restart, keeps what was typed, sends what waited", { ...DESKTOP, ...EN, ...LIGHT }, async page => {
	await ask(page, "before");
	await heard(page, "echo:before");
	await server.stop();
	await page.locator("#state.off").waitFor();
	await ask(page, "while away");
	await box(page).fill("half a thought");
	await server.start();
	await page.locator("#state.on").waitFor();
	await heard(page, "echo:while away");
	assert.equal(await box(page).inputValue(), "half a thought");
	assert.equal(await page.locator(".said").textContent(), "Connected again; what was said before is forgotten");
	assert.equal(await page.getByText("你好，欢迎").count(), 1);
});

test("offers a question again whose answer was lost", { ...DESKTOP, ...EN, ...LIGHT }, async page => {
	robot.held = true;
	await ask(page, "lost one");
	await until(() => robot.steps.length === 1, "the question");
	process.kill(server.pid(), "SIGKILL");
	await page.locator("#state.off").waitFor();
	robot.release();
	await server.start();
	await page.locator("#state.on").waitFor();
	await page.getByRole("button", { name: "Ask again" }).click();
	await heard(page, "echo:lost one");
});

test("loses no word when the program is replaced in the middle of an answer", { ...DESKTOP, ...ZH, ...LIGHT }, async page => {
	const long = Array.from({ length: 200 }, (_, i) => `word${i}`).join(" ");
	robot.answers.set("long", long);
	robot.gap_ms = 10;
	await ask(page, "long");
	await until(async () => (await lastAnswer(page).textContent()).includes("word20"), "some of it");
	await server.upgrade();
	await heard(page, long);
	robot.gap_ms = 0;
	await ask(page, "afterwards");
	await heard(page, "echo:afterwards");
	assert.equal(await page.locator(".said").count(), 0);
	assert.equal(await page.locator("#state.on").count(), 1);
});

test("rests after BYE idle until somebody writes", { ...DESKTOP, ...EN, ...LIGHT, more: "timeouts = { idle = \"1s\"; };" }, async page => {
	await page.locator("#state", { hasText: "Resting" }).waitFor();
	await page.waitForTimeout(1500);
	assert.equal(await page.locator("#state", { hasText: "Resting" }).count(), 1);
	await ask(page, "awake");
	await heard(page, "echo:awake");
});

test("says what may be wrong when a name is none of the origins", { ...DESKTOP, ...EN, ...LIGHT, args: ["--host-resolver-rules=MAP chat.test 127.8.8.8"], at: "http://chat.test:9980/" }, async page => {
	await page.getByText("http://chat.test:9980 has to be among the origins").waitFor();
});

test("may be reached by a name that is one of the origins", { ...DESKTOP, ...EN, ...LIGHT, args: ["--host-resolver-rules=MAP chat.test 127.8.8.8"], at: "http://chat.test:9980/", origins: "http://chat.test:9980" }, async page => {
	await ask(page, "hi");
	await heard(page, "echo:hi");
});

/* --- pictures ------------------------------------------------------------------------------------------------------ */

const TALK = {
	zh: [["你会做什么？", "我可以陪你聊天，也能回答问题、写几句话、算一点小账。\n\n想聊什么就说什么，慢慢来。"], ["用一句话解释什么是 TCP", "TCP 像一封封编了号、必须签收的挂号信：丢了会重寄，乱了会排好，最后按顺序交到你手里。"],
		["写一首关于秋天的小诗", "银杏落了一地的光，\n风从巷口慢慢走过。\n有人把伞收起来，\n听见了自己的脚步。"]],
	en: [["What can you do?", "I keep you company, answer questions and write a few lines.\n\nSay whatever is on your mind; there is no hurry."], ["Explain TCP in one sentence", "TCP is a string of numbered, registered letters: lost ones are sent again, mixed-up ones are put in order, and you read them as they were written."],
		["And a haiku about autumn?", "Light on wet branches—\nthe last leaf takes its time,\nthen lets go of it."]],
};
const SHOTS = [["zh", "desktop", "light"], ["en", "desktop", "dark"], ["zh", "phone", "dark"], ["en", "phone", "light"]];

for (const [language, size, colours] of SHOTS)
	test(`looks well: ${language}, ${size}, ${colours}`,
		{ ...(size === "phone" ? PHONE : DESKTOP), ...(language === "zh" ? ZH : EN), colorScheme: colours,
			more: language === "zh" ? "" : "greeting = \"Hello, and welcome!\\n\";" }, async page => {
			const talk = TALK[language];
			await page.locator("#name").fill(language === "zh" ? "安安" : "Ann");
			for (const [i, [question, answer]] of talk.entries()) {
				robot.answers.set(question, answer);
				robot.held = i === 2;
				await ask(page, question);
				if (i < 2)
					await heard(page, answer);
			}
			const half = answerHalf(talk[2][1]);
			while (!(await lastAnswer(page).textContent()).startsWith(half)) {
				robot.step();
				await page.waitForTimeout(30);
			}
			await shoot(page, `page-${size}-${language}-${colours}.png`);
			robot.release();
			await heard(page, talk[2][1]);
		});

function answerHalf(answer) {
	return answer.slice(0, answer.length * 3 / 5);
}

/* --- running ------------------------------------------------------------------------------------------------------- */

let failed = 0, passed = 0, settings = "[null,null]";

async function runOne(t) {
	let page = null;
	Object.assign(robot, { held: false, gap_ms: 0 });
	robot.answers.clear();
	try {
		const wanted = JSON.stringify([t.how.more, t.how.origins]);
		if (wanted !== settings) {
			settings = wanted;
			await server.stop();
			await server.start(t.how);
		}
		page = await open(t.how);
		await t.run(page);
		passed++;
		console.log(`ok      ${t.name}`);
	} catch (e) {
		failed++;
		console.log(`FAILED  ${t.name}\n${e.stack}\n${page ? page.noise.join("\n") : ""}`);
	}
	robot.release();
	if (page)
		await page.context().close();
}

await robot.start();
await server.start();
try {
	for (const t of tests)
		if (!process.env.ONLY || t.name.includes(process.env.ONLY))
			await runOne(t);
} finally {
	await server.stop();
	robot.stop();
	server.remove();
	browser.remove();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
