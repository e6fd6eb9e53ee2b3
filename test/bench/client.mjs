// client.mjs: what an application does, for test/bench/part/others.sh.
//
//   node client.mjs WHAT SECONDS CLIENTS   prints how many it did in a second
//   node client.mjs make_keys COUNT        makes keys of better-auth
//
// Each of the clients does one thing after the other, with a connection of its
// own; tokens and keys are picked at random.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const [what, amount, clients] = process.argv.slice(2);

const lines = (file) => readFileSync(file, 'utf8').trim().split('\n');

async function pool(database) {
	const { default: pg } = await import('pg');
	return new pg.Pool({ database, max: Number(clients ?? 8) });
}

// A prepared statement of the extension, whose answer is checked by good().
async function apitoken(text, good) {
	const database = await pool('big');
	const tokens = lines('tokens');
	const once = async () => {
		const result = await database.query({ name: 'it', text, values: [pick(tokens)] });
		if (!good(result.rows[0])) throw new Error('a token was not valid');
	};
	return { once: () => once, end: () => database.end() };
}

async function redis() {
	const { createClient } = await import('redis');
	const tokens = lines('tokens');
	const open = [];
	for (let i = 0; i < clients; i++) {
		open.push(await createClient({ socket: { path: process.env.REDIS_SOCKET } }).connect());
	}
	const once = (client) => async () => {
		const digest = createHash('sha256').update(pick(tokens)).digest('hex');
		if (!(await open[client].get(digest))) throw new Error('a token was not found');
	};
	return { once, end: () => Promise.all(open.map((client) => client.close())) };
}

async function betterAuth() {
	const [{ betterAuth }, { apiKey }] =
		await Promise.all([import('better-auth'), import('@better-auth/api-key')]);
	const database = await pool('better_auth');
	const options = {
		database,
		baseURL: 'http://localhost',
		secret: 'only for measuring, only in this directory',
		logger: { disabled: true },
		telemetry: { enabled: false },
		emailAndPassword: { enabled: true },
		plugins: [apiKey({ rateLimit: { enabled: false } })],
	};
	return { database, options, auth: betterAuth(options) };
}

async function verifyApiKey() {
	const { auth, database } = await betterAuth();
	const keys = lines('keys');
	const once = async () => {
		const { valid } = await auth.api.verifyApiKey({ body: { key: pick(keys) } });
		if (!valid) throw new Error('a key was not valid');
	};
	return { once: () => once, end: () => database.end() };
}

async function makeKeys() {
	const { auth, database, options } = await betterAuth();
	const { getMigrations } = await import('better-auth/db/migration');
	const { runMigrations } = await getMigrations(options);
	await runMigrations();
	const { user } = await auth.api.signUpEmail({
		body: { name: 'bench', email: 'bench@example.org', password: 'only for measuring' },
	});
	const keys = [];
	for (let i = 0; i < amount; i++) {
		keys.push((await auth.api.createApiKey({ body: { userId: user.id } })).key);
	}
	writeFileSync('keys', keys.join('\n') + '\n');
	await database.query('VACUUM ANALYZE');
	await database.end();
}

const contenders = {
	verified_id: () => apitoken('SELECT apitoken.verified_id($1) AS id', (row) => row.id),
	verify: () => apitoken('SELECT * FROM apitoken.verify($1)', (row) => row.valid),
	redis,
	better_auth: verifyApiKey,
};

const pick = (list) => list[Math.floor(Math.random() * list.length)];

async function measure({ once, end }) {
	let done = 0;
	let until = 0;
	const client = async (_, i) => {
		const it = once(i);
		for (; performance.now() < until; done++) await it();
	};
	const all = () => Promise.all(Array.from({ length: Number(clients) }, client));

	// half a second to connect, prepare and compile
	until = performance.now() + 500;
	await all();
	done = 0;
	const from = performance.now();
	until = from + amount * 1000;
	await all();
	console.log((done / (performance.now() - from) * 1000).toFixed(1));
	await end();
}

if (what === 'make_keys') await makeKeys();
else await measure(await contenders[what]());
