'use strict';
// Serves @vishtar/telegram-test-api, an emulator that other people wrote, to a bot made with aiogram.
// The emulator keeps the messages and the updates, numbers them and edits them; this file stands in front of its
// routes and adds what it lacks: long polls, uploads, menus, Telegram's refusals, faults, and the user's side that
// kos/sandbox/telegram_user.py speaks. Usage: node server.js TOKEN; prints "ready URL"; ends with its stdin.

const { EventEmitter, once } = require('events');
const TelegramServer = require('@vishtar/telegram-test-api');
const busboy = require('busboy');

const TOKEN = process.argv[2];
const ME = { id: Number(TOKEN.split(':')[0]), is_bot: true, first_name: 'Emulated', username: 'emulated_bot' };
const STRUCTURED = ['allowed_updates', 'caption_entities', 'commands', 'entities', 'link_preview_options',
  'reply_markup', 'reply_parameters', 'scope'];
const MEANINGS = {
  401: 'Unauthorized',
  403: 'Forbidden: bot was blocked by the user',
  409: 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
  429: 'Too Many Requests: retry after 1',
  500: 'Internal Server Error',
};
const FAULTS = ['slow', 'rate_limit', 'refusal', 'server_error', 'html', 'disconnect', 'cut_body', 'garbage', 'lost_reply'];

class Refusal extends Error {
  constructor(status, description, parameters) {
    super(description);
    this.status = status;
    this.parameters = parameters;
  }
}
const bad = (reason) => new Refusal(400, `Bad Request: ${reason}`);
const now = () => Date.now() / 1000;
const parsed = (text, complaint) => {
  try { return JSON.parse(text); } catch { throw bad(complaint); }
};

const emulator = new TelegramServer({ host: '127.0.0.1', storeTimeout: 24 * 3600 }, { routes: [userSide, botSide] });
const changed = new EventEmitter().setMaxListeners(0);
const calls = [], happenings = [], files = new Map(), people = new Map(), chats = new Map(), shut = new Set();
const presses = new Map(), menus = new Map(), updates = new Map();
let faults = [], replays = [], poll = 0, isPolled = false, webhook = '';

// Answers once the condition holds or the seconds are over; true when it holds.
async function waitFor(condition, seconds) {
  const end = Date.now() + 1000 * seconds;
  while (!condition()) {
    const left = end - Date.now();
    if (left <= 0) return false;
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), left);
    await once(changed, 'now', { signal: stop.signal }).catch(() => {});
    clearTimeout(timer);
  }
  return true;
}

function happened(kind, chatId, what) {
  happenings.push({
    number: happenings.length + 1, kind, chat_id: chatId, at: now(), message: {}, callback_query_id: '', text: '',
    show_alert: false, ...what,
  });
  changed.emit('now');
}

// -- messages: the emulator keeps what the bot sent as it came; Telegram gives messages back in its own form --------

const kept = (chatId, messageId) => emulator.storage.botMessages.find(
  (row) => row.messageId === messageId && Number(row.message.chat_id) === chatId);

function shown(row) {
  const { text, caption, entities, caption_entities: captioned, reply_markup: markup, file } = row.message;
  const message = {
    message_id: row.messageId, date: Math.floor(row.time / 1000), from: ME, chat: chats.get(Number(row.message.chat_id)),
    ...file,
  };
  if (text) Object.assign(message, { text, ...(entities?.length && { entities }) });
  if (caption) Object.assign(message, { caption, ...(captioned && { caption_entities: JSON.parse(captioned) }) });
  if (markup?.inline_keyboard?.length) message.reply_markup = { inline_keyboard: markup.inline_keyboard };
  if (row.editedAt) message.edit_date = row.editedAt;
  return message;
}

function chatOf(form) {
  if (!form.chat_id) throw bad('chat_id is empty');
  const chat = chats.get(Number(form.chat_id));
  if (!chat) throw bad('chat not found');
  if (shut.has(chat.id)) {
    throw new Refusal(403, chat.id > 0 ? MEANINGS[403] : 'Forbidden: bot was kicked from the group chat');
  }
  return chat;
}

function checkText(text) {
  if (!text) throw bad('message text is empty');
  if (!text.trim()) throw bad('text must be non-empty');
  if (text.length > 4096) throw bad('message is too long');
}

function checkEntities(text, raw) {
  for (const { offset, length } of raw ? parsed(raw, "can't parse entities JSON object") : []) {
    if (offset + length > (text || '').length) {
      throw bad(`entity beginning at UTF-16 offset ${offset} ends after the end of the text at UTF-16 offset ${offset + length}`);
    }
  }
}

function checkKeyboard(raw) {
  if (!raw) return;
  const rows = parsed(raw, "can't parse reply keyboard markup JSON object").inline_keyboard || [];
  for (const button of rows.flat()) {
    if (Buffer.byteLength(button.callback_data || '') > 64) throw bad('BUTTON_DATA_INVALID');
    if (!button.callback_data && !button.url) {
      throw bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard");
    }
  }
}

function checkCaption(form) {
  if ((form.caption || '').length > 1024) throw bad('message caption is too long');
  checkEntities(form.caption, form.caption_entities);
}

function send(form, file) {
  checkKeyboard(form.reply_markup);
  const chat = chatOf(form);
  const { message_id: id } = emulator.addBotMessage({ ...form, ...(file && { file }) }, TOKEN);
  const message = shown(kept(chat.id, id));
  happened('sent', chat.id, { message });
  return message;
}

function sendFile(form, uploads, kind) {
  const reference = String(form[kind] || '');
  const known = files.get(reference);
  const upload = known || uploads[reference.replace('attach://', '')] || uploads[kind];
  if (!upload) throw bad(`there is no ${kind} in the request`);
  if (!upload.content.length) throw bad('file must be non-empty');
  checkCaption(form);
  chatOf(form);
  const id = known ? reference : `file_${files.size + 1}`;
  files.set(id, upload);
  const about = { file_id: id, file_unique_id: `u${id}`, file_size: upload.content.length };
  return send(form, kind === 'photo'
    ? { photo: [{ ...about, width: 1, height: 1 }] }
    : { document: { ...about, file_name: upload.name, mime_type: upload.type } });
}

function edit(form, change) {
  checkKeyboard(form.reply_markup);
  const chat = chatOf(form);
  const row = kept(chat.id, Number(form.message_id));
  if (!row) throw bad('message to edit not found');
  if ('text' in change && !row.message.text) throw bad('there is no text in the message to edit');
  if ('caption' in change && row.message.text) throw bad('there is no caption in the message to edit');
  const before = shown(row);
  // The emulator merges; what a call does not name must go first, as it does with Telegram.
  delete row.message.reply_markup;
  if ('text' in change) delete row.message.entities;
  if ('caption' in change) delete row.message.caption_entities;
  emulator.editMessageText({ chat_id: form.chat_id, message_id: form.message_id, ...change,
    ...(form.reply_markup && { reply_markup: form.reply_markup }) });
  if (JSON.stringify(shown(row)) === JSON.stringify(before)) {
    throw bad('message is not modified: specified new message content and reply markup are exactly the same'
      + ' as a current content and reply markup of the message');
  }
  row.editedAt = Math.floor(now());
  const message = shown(row);
  happened('edited', chat.id, { message });
  return message;
}

const given = (form, names) => Object.fromEntries(names.filter((name) => form[name]).map((name) => [name, form[name]]));

// -- the bot's side -------------------------------------------------------------------------------------------------

function queue() {
  return emulator.storage.userMessages;
}

function published(row) {
  if (row.raw) return { update_id: row.updateId, ...row.raw };
  const update = TelegramServer.formatUpdate(row);
  if (update.message) {
    const { botToken, ...message } = update.message; // the emulator would give the token away
    update.message = message;
  } else {
    update.callback_query.chat_instance = String(row.callbackQuery.message.chat.id);
  }
  return update;
}

async function getUpdates(form, gone) {
  if (webhook) {
    throw new Refusal(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first");
  }
  const offset = Number(form.offset || 0), limit = Math.min(Number(form.limit || 100), 100);
  const before = queue();
  emulator.storage.userMessages = offset < 0 ? before.slice(offset) : before.filter((row) => row.updateId >= offset);
  const some = () => replays.length + queue().length > 0;
  const take = () => {
    const again = replays.map(published);
    replays = [];
    const twice = new Set(again.map((update) => update.update_id));
    return again.concat(queue().filter((row) => !twice.has(row.updateId)).map(published)).slice(0, limit);
  };
  if (some() || !Number(form.timeout)) return take();
  const mine = ++poll;
  isPolled = true;
  changed.emit('now');
  await waitFor(() => some() || gone() || mine !== poll, Number(form.timeout));
  if (mine !== poll) throw new Refusal(409, MEANINGS[409]);
  isPolled = false;
  return gone() ? [] : take();
}

function setCommands(form) {
  const rows = parsed(form.commands || '[]', "can't parse commands JSON object");
  if (rows.length > 100) throw bad('BOT_COMMANDS_TOO_MUCH');
  for (const { command, description } of rows) {
    if (!/^[a-z0-9_]{1,32}$/.test(command)) throw bad('BOT_COMMAND_INVALID');
    if (!description || description.length > 256) throw bad('command description length must not exceed 256');
  }
  menus.set(scopeOf(form), rows);
  return true;
}

const scopeOf = (form) => `${JSON.stringify(parsed(form.scope || '{"type":"default"}', "can't parse BotCommandScope JSON object"))} ${form.language_code || ''}`;

const METHODS = {
  getMe: () => ME,
  getUpdates: (form, _uploads, gone) => getUpdates(form, gone),
  setWebhook: (form) => { webhook = form.url || ''; return true; }, // the emulator would call it
  deleteWebhook: (form) => {
    webhook = '';
    if (String(form.drop_pending_updates) === 'true') emulator.storage.userMessages = [];
    return true;
  },
  getWebhookInfo: () => ({ url: webhook, has_custom_certificate: false, pending_update_count: queue().length }),
  sendMessage: (form) => { checkText(form.text); checkEntities(form.text, form.entities); return send(form); },
  sendPhoto: (form, uploads) => sendFile(form, uploads, 'photo'),
  sendDocument: (form, uploads) => sendFile(form, uploads, 'document'),
  sendChatAction: (form) => Boolean(chatOf(form)),
  editMessageText: (form) => {
    checkText(form.text);
    checkEntities(form.text, form.entities);
    return edit(form, given(form, ['text', 'entities']));
  },
  editMessageCaption: (form) => { checkCaption(form); return edit(form, { caption: '', ...given(form, ['caption', 'caption_entities']) }); },
  editMessageReplyMarkup: (form) => edit(form, {}),
  deleteMessage: (form) => {
    const chat = chatOf(form), row = kept(chat.id, Number(form.message_id));
    if (!emulator.deleteMessage(chat.id, Number(form.message_id))) throw bad('message to delete not found');
    if (row) happened('deleted', chat.id, { message: shown(row) });
    return true;
  },
  answerCallbackQuery: (form) => {
    const chatId = presses.get(form.callback_query_id);
    if (!chatId) throw bad('query is too old and response timeout expired or query ID is invalid');
    if ((form.text || '').length > 200) throw bad('MESSAGE_TOO_LONG');
    happened('answered', chatId, {
      callback_query_id: form.callback_query_id, text: form.text || '', show_alert: form.show_alert === 'true',
    });
    return true;
  },
  setMyCommands: setCommands,
  getMyCommands: (form) => menus.get(scopeOf(form)) || [],
  deleteMyCommands: (form) => { menus.delete(scopeOf(form)); return true; },
  getChat: (form) => ({ ...chatOf(form), accent_color_id: 0, max_reaction_count: 11, accepted_gift_types: {
    unlimited_gifts: false, limited_gifts: false, unique_gifts: false, premium_subscription: false,
    gifts_from_channels: false } }),
};
const SPELLED = new Map(Object.keys(METHODS).map((name) => [name.toLowerCase(), name]));

function readUploads(req) {
  return new Promise((resolve, reject) => {
    const form = {}, uploads = {}, reader = busboy({ headers: req.headers, defParamCharset: 'utf8' });
    reader.on('field', (name, value) => { form[name] = value; });
    reader.on('file', (name, stream, { filename, mimeType }) => {
      const parts = [];
      stream.on('data', (part) => parts.push(part));
      stream.on('end', () => { uploads[name] = { name: filename, type: mimeType, content: Buffer.concat(parts) }; });
    });
    reader.on('close', () => resolve([form, uploads]));
    reader.on('error', reject);
    req.pipe(reader);
  });
}

async function readForm(req) {
  const isMultipart = (req.headers['content-type'] || '').startsWith('multipart/');
  const [body, uploads] = isMultipart ? await readUploads(req) : [req.body || {}, {}];
  const form = {};
  for (const [name, value] of Object.entries({ ...req.query, ...body })) {
    if (value !== null) form[name] = typeof value === 'string' ? value : JSON.stringify(value);
  }
  return [form, uploads];
}

function described(form, uploads) {
  const found = { ...form };
  for (const name of STRUCTURED) {
    if (name in found) try { found[name] = JSON.parse(found[name]); } catch { /* as it came */ }
  }
  for (const [name, upload] of Object.entries(uploads)) found[name] ??= { name: upload.name, size: upload.content.length };
  return found;
}

function strike(method) {
  const fault = faults.find((rule) => method.includes(rule.path || ''));
  if (fault && fault.count !== null && --fault.count <= 0) faults = faults.filter((rule) => rule !== fault);
  return fault;
}

function fail(res, status, description, parameters) {
  res.status(status).json({ ok: false, error_code: status, description, ...(parameters && { parameters }) });
}

// Answers in place of the method; true when it did.
function misbehave(fault, res) {
  const wait = Math.ceil(fault.retry_after_s || 1);
  switch (fault.kind) {
    case 'rate_limit': fail(res, 429, `Too Many Requests: retry after ${wait}`, { retry_after: wait }); return true;
    case 'refusal': fail(res, fault.status || 400, fault.text || MEANINGS[fault.status] || 'Bad Request: chat not found'); return true;
    case 'server_error': res.status(fault.status || 500).send('Internal Server Error'); return true;
    case 'html': res.status(fault.status || 200).send('<html><body>Back soon</body></html>'); return true;
    case 'disconnect': res.socket.destroy(); return true;
    default: return false;
  }
}

// Carries the answer, whole or as a fault wants it.
function deliver(fault, res, body) {
  const text = JSON.stringify(body);
  switch (fault?.kind) {
    case 'lost_reply': res.socket.destroy(); break;
    case 'garbage': res.type('json').send(`${text.slice(0, text.length / 2)}\0}]`); break;
    case 'cut_body':
      res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
      res.write(text.slice(0, text.length / 2), () => res.socket.destroy());
      break;
    default: res.json(body);
  }
}

function botSide(app) {
  app.all('/bot:token/:method', async (req, res) => {
    const [form, uploads] = await readForm(req);
    const method = SPELLED.get(req.params.method.toLowerCase()) || req.params.method;
    calls.push({ number: calls.length + 1, method, parameters: described(form, uploads), at: now() });
    changed.emit('now');
    const fault = strike(method);
    if (fault && misbehave(fault, res)) return;
    if (fault?.kind === 'slow') await waitFor(() => false, fault.delay_s || 1);
    let isGone = false;
    res.on('close', () => { isGone = true; changed.emit('now'); });
    try {
      if (decodeURIComponent(req.params.token) !== TOKEN) throw new Refusal(401, MEANINGS[401]);
      if (!(method in METHODS)) throw new Refusal(404, 'Not Found: method not found');
      deliver(fault, res, { ok: true, result: await METHODS[method](form, uploads, () => isGone) });
    } catch (error) {
      if (error instanceof Refusal) fail(res, error.status, error.message, error.parameters);
      else { console.error(error); fail(res, 500, MEANINGS[500]); }
    }
  });
}

// -- the user's side ------------------------------------------------------------------------------------------------

function meet({ user_id: userId, chat_id: chatId, name, username }) {
  if (!people.has(userId) || name || username) {
    people.set(userId, { id: userId, is_bot: false, first_name: name || `Person ${userId}`, ...(username && { username }) });
  }
  const person = people.get(userId);
  if (!chats.has(chatId)) {
    chats.set(chatId, chatId > 0
      ? { id: chatId, type: 'private', first_name: person.first_name }
      : { id: chatId, type: 'group', title: `Group ${-chatId}` });
  }
  return { from: person, chat: chats.get(chatId) };
}

function remember() {
  const row = queue().at(-1);
  updates.set(row.updateId, row);
  changed.emit('now');
  return row;
}

function push(raw) {
  queue().push({ ...emulator.getCommonFields(TOKEN), messageId: 0, message: { chat: { id: 0 } }, raw });
  emulator.updateId++;
  return remember().updateId;
}

const ACTS = {
  meet: (body) => meet(body).chat,
  say: async (body) => {
    const entities = [...body.text.matchAll(/(?<!\S)\/\w{1,32}(?:@\w+)?/g)].map(
      (found) => ({ type: 'bot_command', offset: found.index, length: found[0].length }));
    const message = { botToken: TOKEN, ...meet(body), date: Math.floor(now()), text: body.text, ...body.extra };
    shut.delete(body.chat_id);
    await (entities.length ? emulator.addUserCommand({ ...message, entities }) : emulator.addUserMessage(message));
    const row = remember();
    return { update_id: row.updateId, message_id: row.messageId };
  },
  press: async (body) => {
    const { from, chat } = meet(body), row = kept(chat.id, body.message_id);
    const message = row ? shown(row) : { message_id: body.message_id, date: 0, chat };
    await emulator.addUserCallback({ botToken: TOKEN, from, message, data: body.data });
    const { updateId, callbackId } = remember();
    presses.set(String(callbackId), chat.id);
    return { update_id: updateId, callback_query_id: String(callbackId) };
  },
  edit: (body) => {
    const row = [...updates.values()].find((one) => one.message && one.messageId === body.message_id);
    return { update_id: push({ edited_message: { ...published(row).message, text: body.text, edit_date: Math.floor(now()) } }) };
  },
  block: (body) => {
    const { from, chat } = meet(body), member = { status: 'member', user: ME };
    if (body.is_blocked === shut.has(chat.id)) return { update_id: 0 };
    const kicked = { status: 'kicked', user: ME, until_date: 0 };
    if (body.is_blocked) shut.add(chat.id); else shut.delete(chat.id);
    return { update_id: push({ my_chat_member: { chat, from, date: Math.floor(now()),
      old_chat_member: body.is_blocked ? member : kicked, new_chat_member: body.is_blocked ? kicked : member } }) };
  },
  deliver: (body) => ({ update_id: push(body) }),
  replay: (body) => {
    if (!updates.has(body.update_id)) throw new Error(`there is no update ${body.update_id}`);
    replays.push(updates.get(body.update_id));
    changed.emit('now');
    return {};
  },
  expire_queries: () => { presses.clear(); return {}; },
  faults: (body) => {
    if (!FAULTS.includes(body.kind)) throw new Error(`the emulator knows no fault ${body.kind}`);
    faults.push(body);
    return faults;
  },
};

const VIEWS = {
  happenings: async ({ after = 0, chat_id: chatId, kinds = '', timeout = 0 }) => {
    const found = () => happenings.slice(Number(after)).filter(
      (row) => (!chatId || row.chat_id === Number(chatId)) && (!kinds || kinds.split(',').includes(row.kind)));
    await waitFor(() => found().length, Number(timeout));
    return found();
  },
  calls: async ({ method = '', count = 0, timeout = 0 }) => {
    const found = () => calls.filter((call) => !method || call.method === method);
    await waitFor(() => found().length >= Number(count), Number(timeout));
    return found();
  },
  polled: ({ timeout = 0 }) => waitFor(() => isPolled, Number(timeout)),
  screen: ({ chat_id: chatId }) => {
    const ours = emulator.storage.botMessages.filter((row) => row.message.chat_id == chatId).map(shown);
    const theirs = [...updates.values()].filter((row) => row.message?.chat?.id === Number(chatId)).map((row) => published(row).message);
    return ours.concat(theirs).sort((one, other) => one.message_id - other.message_id);
  },
};

function userSide(app) {
  const answer = async (res, work) => {
    try { res.json(await work()); } catch (error) { res.status(400).json({ message: error.message }); }
  };
  app.get('/__sandbox__/file', (req, res) => {
    const file = files.get(req.query.file_id);
    if (file) res.end(file.content); else res.status(400).end();
  });
  app.get('/__sandbox__/:view', (req, res) => answer(res, () => VIEWS[req.params.view](req.query)));
  app.delete('/__sandbox__/faults', (_req, res) => { faults = []; res.json([]); });
  app.post('/__sandbox__/:act', (req, res) => answer(res, () => ACTS[req.params.act](req.body)));
}

emulator.config.port = 0;
emulator.start().then(() => {
  emulator.server.keepAliveTimeout = 0; // node would hang up on an idle bot just as it speaks
  console.log(`ready http://127.0.0.1:${emulator.server.address().port}`);
});
process.stdin.resume().on('end', () => process.exit(0));
