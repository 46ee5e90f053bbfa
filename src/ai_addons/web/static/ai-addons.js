// Web components for AI credits: <ai-credits-badge>, <ai-buy-credits>, <ai-trial-banner>, <ai-gate>.
// Nothing else is loaded. Text from the server is only ever set as text. Styles are constructed sheets, so a host's
// content security policy needs no exception. Parts can be styled from outside with ::part().

// This file is served as {mount}ai/ui/static/{hash}/ai-addons.js, so the API begins three folders up.
const HERE = new URL("../../../", import.meta.url).href;
const CHANGED = "ai-credits:changed";
const STORED = "ai-addons:purchase";
const POLL_SECONDS = 60;
const LOOK_AGAIN_MS = 4000;
const PROMPT_SECONDS = 180;

const ENGLISH = {
  credits: "{n} AI credits",
  credits_unknown: "AI credits –",
  low: "{n} AI credits, running low",
  buy: "Buy AI credits",
  payment_waiting: "A payment is waiting",
  buy_title: "Buy AI credits",
  short: "This needs {required} credits, and you have {available}.",
  short_plain: "You do not have enough credits for this.",
  loading: "One moment…",
  pack: "Which pack?",
  pack_line: "{credits} credits for GHS {price}",
  pack_bonus: "{n} of them free",
  recommended: "Recommended",
  own_amount: "Your own amount",
  own_bounds: "from GHS {least} to {most}",
  amount: "Amount in cedis",
  way: "How do you pay?",
  by_phone: "Mobile Money, approved on the phone",
  by_page: "Card or another way, on the payment page",
  phone: "Phone number",
  network: "Network",
  choose: "Choose one",
  pay: "Pay",
  close: "Close",
  not_now: "Not now",
  waiting_title: "Waiting for your payment",
  approve: "Approve the request on your phone, with your Mobile Money PIN. Never type the PIN here.",
  seconds: "{n} seconds left",
  time_over: "The time on the phone is over. If you have approved, it is found within a minute.",
  otp: "The code that you were sent",
  otp_send: "Send the code",
  otp_wrong: "That code was not accepted, and nothing was charged. Start again.",
  go_pay: "Go to the payment page",
  done_title: "Paid",
  done: "{n} credits were added.",
  done_plain: "Your credits were added.",
  balance: "You now have {n}.",
  finish: "Finish: {name}",
  failed_title: "Not paid",
  failed: "The payment was declined, cancelled or not approved in time. Nothing was charged.",
  checked_title: "We are checking this payment",
  checked: "It does not fit the order. Nothing is lost: your credits are added, or the money is sent back.",
  again: "Start again",
  trouble: "This did not work, and nothing was charged. Try again.",
  trial: "Start with {n} free credits",
  trial_text: "Try AI on your own shop.",
  trial_done: "{n} free credits are yours.",
  trial_had: "The free credits were given before.",
  price: "{n} credits",
  free: "free",
  working: "Working…",
};

const STYLE = sheet(`
  :host { display: inline-block; font: inherit; color: inherit; }
  :host([hidden]), [hidden] { display: none !important; }
  * { box-sizing: border-box; }
  .badge { display: inline-block; padding: .15em .6em; border: 1px solid var(--ai-border, #7b8591); border-radius: 1em; font-variant-numeric: tabular-nums; }
  .badge.low { border-color: var(--ai-warn, #7a4300); color: var(--ai-warn, #7a4300); background: var(--ai-warn-surface, #fff3de); }
  button, .link { font: inherit; font-weight: 600; min-height: 2.75em; padding: .5em 1.1em; border: 2px solid var(--ai-accent, #0b5cad); border-radius: .375em; background: var(--ai-accent, #0b5cad); color: var(--ai-on-accent, #fff); cursor: pointer; display: inline-block; text-decoration: none; }
  button.plain { background: transparent; color: var(--ai-accent, #0b5cad); }
  button[disabled] { cursor: progress; opacity: .75; }
  :focus-visible { outline: 3px solid var(--ai-accent, #0b5cad); outline-offset: 2px; }
  dialog { border: 1px solid var(--ai-border, #7b8591); border-radius: .5em; padding: 1.25em; width: min(30em, calc(100vw - 1.5em)); max-height: calc(100vh - 2em); overflow: auto; background: var(--ai-background, #fff); color: var(--ai-text, #1b1f24); text-align: left; overflow-wrap: anywhere; }
  dialog::backdrop { background: rgb(0 0 0 / .55); }
  h2 { margin: 0 0 .5em; font-size: 1.25em; line-height: 1.2; }
  h2:focus { outline: none; }
  p { margin: .5em 0; }
  fieldset { border: 0; margin: 1em 0; padding: 0; min-width: 0; }
  legend { font-weight: 600; padding: 0; }
  label { display: block; margin: .5em 0; }
  label.option { border: 1px solid var(--ai-border, #7b8591); border-radius: .375em; padding: .6em .75em; cursor: pointer; }
  label.option:has(:checked) { border-color: var(--ai-accent, #0b5cad); box-shadow: 0 0 0 1px var(--ai-accent, #0b5cad); }
  .note { color: var(--ai-muted, #4d5661); font-size: .9em; }
  .flag { background: var(--ai-accent, #0b5cad); color: var(--ai-on-accent, #fff); border-radius: 1em; padding: 0 .6em; font-size: .85em; margin-left: .25em; }
  input:not([type=radio]), select { display: block; font: inherit; width: 100%; min-height: 2.75em; padding: .5em .75em; border: 1px solid var(--ai-border, #7b8591); border-radius: .375em; background: var(--ai-background, #fff); color: inherit; }
  .actions { display: flex; flex-wrap: wrap; gap: .75em; margin-top: 1em; }
  .alert { border-left: .4em solid var(--ai-bad, #a8201a); padding: .25em .75em; }
  .clock { font-size: 1.5em; font-variant-numeric: tabular-nums; }
  .banner { border: 1px solid var(--ai-accent, #0b5cad); border-radius: .5em; padding: .75em 1em; }
  .quiet { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
  @media (prefers-reduced-motion: no-preference) {
    [aria-busy=true] .dots { animation: beat 1s infinite alternate; }
    @keyframes beat { from { opacity: .4; } to { opacity: 1; } }
  }
  @media (prefers-color-scheme: dark) {
    dialog { background: var(--ai-background, #12161b); color: var(--ai-text, #e8ecf1); }
    .note { color: var(--ai-muted, #adb7c2); }
    input:not([type=radio]), select { background: var(--ai-background, #12161b); }
    button, .link { border-color: var(--ai-accent, #7cb7ff); background: var(--ai-accent, #7cb7ff); color: var(--ai-on-accent, #0b1520); }
    button.plain { background: transparent; color: var(--ai-accent, #7cb7ff); }
    .flag { background: var(--ai-accent, #7cb7ff); color: var(--ai-on-accent, #0b1520); }
    .badge.low { border-color: var(--ai-warn, #ffc46b); color: var(--ai-warn, #ffc46b); background: var(--ai-warn-surface, #33260f); }
    .alert { border-left-color: var(--ai-bad, #ff9a92); }
  }
`);

function sheet(css) {
  const made = new CSSStyleSheet();
  made.replaceSync(css);
  return made;
}

/** An element with properties, attributes (written with a dash or ":") and children; strings become text. */
function make(tag, known = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(known)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** An error that the API told of. */
class Problem extends Error {
  constructor(status, told) {
    super(typeof told?.detail === "string" ? told.detail : "");
    this.status = status;
    this.problem = told ?? {};
    this.code = this.problem.code;
  }
}

/** Whether what was asked for may have been begun all the same, or is being done. */
function isInDoubt(problem) {
  return problem.status >= 500 || ["ledger_conflict", "payment_pending"].includes(problem.code);
}

/** Credits for people: no needless zeros, thousands apart. The server sends decimal text. */
function amount(text) {
  const [whole, part = ""] = String(text ?? "").split(".");
  const kept = part.replace(/0+$/, "");
  const apart = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return kept ? `${apart}.${kept}` : apart;
}

function freshKey() {
  // crypto.randomUUID needs https; a shop's own network may have none.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const kept = {
  read() {
    try {
      return JSON.parse(sessionStorage.getItem(STORED));
    } catch {
      return null;
    }
  },
  write(value) {
    try {
      if (value === null) sessionStorage.removeItem(STORED);
      else sessionStorage.setItem(STORED, JSON.stringify(value));
    } catch {
      // A browser that keeps nothing: a reload then forgets the waiting screen, and the pages still show the order.
    }
  },
};

function changed() {
  window.dispatchEvent(new CustomEvent(CHANGED));
}

/** Strings of the page, from <script type="application/json" data-ai-addons-strings lang="…">. */
function pageStrings(element) {
  const lang = element.closest("[lang]")?.lang ?? "";
  const merged = {};
  for (const script of document.querySelectorAll('script[type="application/json"][data-ai-addons-strings]')) {
    if (!script.lang || script.lang.split("-")[0] === lang.split("-")[0]) Object.assign(merged, parsed(script.textContent));
  }
  return merged;
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

class AiElement extends HTMLElement {
  #strings = null;

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [STYLE];
    // A host may have set it before the browser knew the element.
    if (Object.hasOwn(this, "strings")) {
      this.#strings = this.strings;
      delete this.strings;
    }
  }

  /** Words of its own, by key; they win over those of the attribute and of the page. */
  set strings(value) {
    this.#strings = value;
    if (this.isConnected) this.relabel?.();
  }

  get strings() {
    return { ...ENGLISH, ...pageStrings(this), ...parsed(this.getAttribute("strings") ?? "{}"), ...this.#strings };
  }

  say(key, values = {}) {
    return this.strings[key].replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
  }

  /** Where the API is: attribute `api`, else a meta tag, else beside this script. */
  url(path) {
    const named = this.getAttribute("api") ?? document.querySelector('meta[name="ai-addons-api"]')?.content;
    return new URL(path, named ? new URL(named, document.baseURI) : HERE).href;
  }

  async ask(method, path, { body, key } = {}) {
    const headers = { accept: "application/json" };
    if (method !== "GET") {
      const token = this.getAttribute("csrf") ?? document.querySelector('meta[name="ai-addons-csrf"]')?.content;
      headers["content-type"] = "application/json";
      if (token) headers[this.getAttribute("csrf-header") ?? "x-csrftoken"] = token;
      if (key) headers["idempotency-key"] = key;
    }
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const response = await fetch(path, { method, headers, body: sent, credentials: "same-origin", cache: "no-store" });
    const isJson = (response.headers.get("content-type") ?? "").includes("json");
    const told = isJson ? await response.json() : null;
    if (!response.ok || told === null) throw new Problem(response.status, told);
    return told;
  }

  get(path) {
    return this.ask("GET", this.url(path));
  }

  post(path, body, key) {
    return this.ask("POST", this.url(path), { body, key });
  }

  tell(name, detail) {
    return this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, cancelable: true, detail }));
  }
}

/** <ai-credits-badge src low poll>: the balance, or a dash; never an old number. */
class CreditsBadge extends AiElement {
  static observedAttributes = ["src", "low", "poll"];
  #shown;
  #timer = null;
  #ready = false;
  #asked = 0;
  #reload = () => this.reload();
  #watch = () => this.#seen();

  constructor() {
    super();
    this.#shown = make("span", { role: "status", part: "badge", class: "badge" });
    this.shadowRoot.append(this.#shown);
  }

  connectedCallback() {
    window.addEventListener(CHANGED, this.#reload);
    document.addEventListener("visibilitychange", this.#watch);
    this.#ready = true;
    this.#seen();
  }

  disconnectedCallback() {
    window.removeEventListener(CHANGED, this.#reload);
    document.removeEventListener("visibilitychange", this.#watch);
    this.#ready = false;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  attributeChangedCallback() {
    if (this.#ready) this.#seen();
  }

  #seen() {
    clearInterval(this.#timer);
    this.#timer = null;
    if (document.visibilityState !== "visible") return;
    const seconds = Number(this.getAttribute("poll") ?? POLL_SECONDS);
    if (seconds > 0) this.#timer = setInterval(this.#reload, seconds * 1000);
    this.reload();
  }

  async reload() {
    const turn = ++this.#asked;
    let text, low = false;
    try {
      const src = this.getAttribute("src");
      const told = await (src ? this.ask("GET", new URL(src, document.baseURI).href) : this.get("credits/"));
      const balance = told.available ?? told.balance;
      if (balance === undefined || Number.isNaN(Number(balance))) throw new Problem(0, null);
      low = Number(balance) < Number(this.getAttribute("low") ?? 10);
      text = this.say(low ? "low" : "credits", { n: amount(balance) });
    } catch {
      text = this.say("credits_unknown");
    }
    // An answer that was overtaken by a later one says nothing any more.
    if (turn !== this.#asked) return;
    if (this.#shown.textContent !== text) this.#shown.textContent = text;
    this.#shown.setAttribute("part", low ? "badge low" : "badge");
    this.#shown.className = low ? "badge low" : "badge";
  }
}

/** Seconds that run down, for the eye each second and for the ear twice. */
class Countdown {
  #timer = null;

  constructor(shown, heard, say) {
    this.shown = shown;
    this.heard = heard;
    this.say = say;
  }

  start(seconds) {
    const end = performance.now() + seconds * 1000;
    if (this.end !== undefined && Math.abs(this.end - end) < 3000) return;
    this.stop();
    this.end = end;
    this.#tick();
    this.#timer = setInterval(() => this.#tick(), 1000);
  }

  stop() {
    clearInterval(this.#timer);
    this.end = undefined;
  }

  #tick() {
    const left = Math.max(0, Math.round((this.end - performance.now()) / 1000));
    this.shown.textContent = left ? this.say("seconds", { n: left }) : this.say("time_over");
    if (left === 60 || left === 20 || left === 0) this.heard.textContent = this.shown.textContent;
    if (!left) clearInterval(this.#timer);
  }
}

/** <ai-buy-credits>: a button and a modal: choose, pay, wait, done. Survives a reload of the page. */
class BuyCredits extends AiElement {
  #button;
  #dialog;
  #heading;
  #body;
  #pending = null;
  #want = {};
  #key = null;
  #asked = null;
  #timer = null;
  #clock = null;
  #chosen = () => {};
  #look = () => document.visibilityState === "visible" && this.#pending && this.#check();

  constructor() {
    super();
    this.#button = make("button", { type: "button", part: "button", "aria-haspopup": "dialog", onclick: () => this.open() });
    this.#heading = make("h2", { id: "title", tabindex: -1, part: "title" });
    this.#body = make("div", { part: "body" });
    this.#dialog = make("dialog", { part: "dialog", "aria-labelledby": "title", onclose: () => this.#closed(), onkeydown: (event) => this.#trap(event) }, this.#heading, this.#body);
    this.shadowRoot.append(this.#button, this.#dialog);
  }

  connectedCallback() {
    this.#button.hidden = this.hasAttribute("headless");
    document.addEventListener("visibilitychange", this.#look);
    this.relabel();
    const before = kept.read();
    if (before?.id && this === document.querySelector("ai-buy-credits")) {
      this.#pending = before;
      this.#want = { feature: before.feature, gate: before.gate, name: before.name };
      this.#show();
      this.#waiting({});
      this.#check();
    }
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#look);
    clearTimeout(this.#timer);
    this.#clock?.stop();
  }

  relabel() {
    this.#button.textContent = this.say(this.#pending ? "payment_waiting" : "buy");
  }

  /**
   * Open the modal.
   * @param {object} [want] What is interrupted: `problem` (a 402 of the API), `name` and `finish`, called after payment.
   */
  open(want = {}) {
    this.#want = want;
    this.#show();
    if (this.#pending) this.#waiting({}), this.#check();
    else this.#packs();
  }

  close() {
    this.#dialog.close();
  }

  #show() {
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  #closed() {
    this.relabel();
    this.tell("ai-buy-credits:closed", {});
  }

  /** The browser keeps the page behind out of reach; Tab stays inside instead of going to the browser's own bars. */
  #trap(event) {
    if (event.key !== "Tab") return;
    const all = this.#dialog.querySelectorAll("a[href], button:not([disabled]), input:not([disabled]), select:not([disabled])");
    // Of radio buttons only the chosen one is reached by Tab.
    const reach = [...all].filter((one) => one.checkVisibility() && (one.type !== "radio" || one.checked));
    if (!reach.length) return;
    const here = this.shadowRoot.activeElement;
    const [first, last] = [reach[0], reach[reach.length - 1]];
    if (event.shiftKey ? here === first || here === this.#heading : here === last) {
      event.preventDefault();
      (event.shiftKey ? last : first).focus();
    }
  }

  #step(title, ...children) {
    this.#clock?.stop();
    this.#heading.textContent = this.say(title);
    this.#body.replaceChildren(...children.filter(Boolean));
    this.#heading.focus();
  }

  #action(key, onclick, { plain = false, values } = {}) {
    return make("button", { type: "button", class: plain ? "plain" : "", part: plain ? "button plain" : "button", onclick }, this.say(key, values));
  }

  #alert(text) {
    return make("p", { class: "alert", role: "alert" }, text);
  }

  async #packs(trouble) {
    this.#key = freshKey();
    this.#asked = null;
    this.#step("buy_title", make("p", { role: "status" }, this.say("loading")));
    let pricing;
    try {
      pricing = await this.get("pricing/");
    } catch {
      this.#step("buy_title", this.#alert(this.say("trouble")), make("div", { class: "actions" }, this.#action("again", () => this.#packs()), this.#action("close", () => this.close(), { plain: true })));
      return;
    }
    const packs = pricing.credit_packs ?? [];
    const chosen = packs.find((pack) => pack.recommended) ?? packs[0];
    const form = make(
      "form",
      { onsubmit: (event) => this.#submit(event) },
      this.#reason(),
      trouble ? this.#alert(trouble) : null,
      make("fieldset", { onchange: () => this.#chosen() }, make("legend", {}, this.say("pack")), ...packs.map((pack) => this.#pack(pack, pack === chosen)), pricing.custom_pack ? this.#own(pricing.custom_pack, !packs.length) : null),
      this.#ways(),
      make("div", { class: "actions" }, make("button", { part: "button" }, this.say("pay")), this.#action("not_now", () => this.close(), { plain: true })),
    );
    this.#step("buy_title", form);
  }

  #reason() {
    const problem = this.#want.problem;
    if (!problem) return null;
    const known = problem.required !== undefined && problem.available !== undefined;
    return make("p", {}, known ? this.say("short", { required: amount(problem.required), available: amount(problem.available) }) : this.say("short_plain"));
  }

  #pack(pack, checked) {
    const line = this.say("pack_line", { credits: amount(pack.total_credits ?? pack.credits), price: pack.price });
    return make(
      "label",
      { class: "option" },
      make("input", { type: "radio", name: "pack", value: pack.type, checked, required: true }),
      ` ${pack.name ?? pack.type}`,
      pack.recommended ? " " : null,
      pack.recommended ? make("span", { class: "flag" }, this.say("recommended")) : null,
      make("br"),
      line,
      Number(pack.bonus_credits) > 0 ? make("span", { class: "note" }, ` (${this.say("pack_bonus", { n: amount(pack.bonus_credits) })})`) : null,
    );
  }

  #own(bounds, checked) {
    const field = make("input", { name: "amount", inputmode: "decimal", maxlength: 9, required: true, disabled: !checked });
    const label = make("label", { hidden: !checked }, this.say("amount"), field);
    const own = make("input", { type: "radio", name: "pack", value: "CUSTOM", checked, required: true });
    this.#chosen = () => {
      label.hidden = !own.checked;
      field.disabled = !own.checked;
    };
    return make("div", { class: "own" }, make("label", { class: "option" }, own, ` ${this.say("own_amount")}`, make("span", { class: "note" }, ` (${this.say("own_bounds", bounds)})`)), label);
  }

  #ways() {
    const networks = [["", this.say("choose")], ["mtn", "MTN MoMo"], ["telecel", "Telecel Cash"], ["at", "AT Money"]];
    const phone = make("input", { name: "phone", type: "tel", inputmode: "tel", autocomplete: "tel", maxlength: 20, required: true });
    const network = make("select", { name: "network", required: true }, ...networks.map(([value, label]) => make("option", { value }, label)));
    const details = make("div", {}, make("label", {}, this.say("phone"), phone), make("label", {}, this.say("network"), network));
    const change = (event) => {
      const byPhone = event.target.value === "phone";
      details.hidden = !byPhone;
      phone.disabled = network.disabled = !byPhone;
    };
    const way = (value, checked) => make("label", { class: "option" }, make("input", { type: "radio", name: "way", value, checked, onchange: change }), ` ${this.say(`by_${value}`)}`);
    return make("fieldset", {}, make("legend", {}, this.say("way")), way("phone", true), way("page", false), details);
  }

  async #submit(event) {
    event.preventDefault();
    const form = event.target;
    const fields = Object.fromEntries(new FormData(form));
    const body = { pack_type: fields.pack };
    if (fields.pack === "CUSTOM") body.amount = fields.amount;
    if (fields.way === "phone") Object.assign(body, { payment_method: "MOMO", phone: fields.phone, network: fields.network });
    else body.payment_method = "CARD";
    const button = form.querySelector("button");
    button.disabled = true;
    form.querySelector("[role=alert]")?.remove();
    // A key stands for one order: what is another order gets another.
    const wanted = JSON.stringify(body);
    if (this.#asked !== null && this.#asked !== wanted) this.#key = freshKey();
    this.#asked = wanted;
    try {
      // Under one key, so that a second try after a lost answer orders nothing twice.
      const made = await this.post("purchase/", body, this.#key);
      this.#pending = { id: made.purchase_id, url: made.payment_url, feature: this.#want.feature, gate: this.#want.gate, name: this.#want.name };
      kept.write(this.#pending);
      this.#waiting({ next_step: made.next_step, display_text: made.display_text, seconds_left: made.seconds_left });
      this.#check();
    } catch (error) {
      form.prepend(this.#alert(error.message && error instanceof Problem ? error.message : this.say("trouble")));
      // A refusal is an end. In doubt the order may stand, and the phone may have been asked: so it is the same again.
      if (error instanceof Problem && !isInDoubt(error)) this.#key = freshKey();
      button.disabled = false;
    }
  }

  #waiting(told) {
    this.#key = null;
    const heard = make("p", { class: "quiet", role: "status" });
    const clock = make("p", { class: "clock", role: "timer", "aria-live": "off", part: "clock" });
    const text = make("p", { class: "said", role: "status" });
    const otp = make("form", { hidden: true, onsubmit: (event) => this.#otp(event) }, make("label", {}, this.say("otp"), make("input", { name: "otp", inputmode: "numeric", autocomplete: "one-time-code", required: true, minlength: 4, maxlength: 12 })), make("button", { part: "button" }, this.say("otp_send")));
    const link = make("a", { class: "link", part: "button", rel: "noreferrer", hidden: true }, this.say("go_pay"));
    this.#step("waiting_title", clock, text, otp, make("div", { class: "actions" }, link, this.#action("close", () => this.close(), { plain: true })), heard);
    this.#clock = new Countdown(clock, heard, (key, values) => this.say(key, values));
    this.relabel();
    this.#told(told);
  }

  /** Put what the API says of the payment on the waiting screen. */
  #told(told) {
    const find = (selector) => this.#body.querySelector(selector);
    const url = told.payment_url ?? this.#pending?.url;
    const step = told.next_step ?? (url ? "redirect" : undefined);
    const said = find(".said");
    if (!said) return;
    const words = told.display_text || (step === "redirect" ? "" : this.say("approve"));
    if (said.textContent !== words) said.textContent = words;
    find("form").hidden = step !== "enter_otp";
    const link = find(".link");
    link.hidden = !(step === "redirect" && /^https?:\/\//.test(url ?? ""));
    if (!link.hidden) link.href = url;
    if (step !== "redirect" && (told.seconds_left !== undefined || this.#clock.end === undefined)) this.#clock.start(told.seconds_left ?? PROMPT_SECONDS);
  }

  async #check() {
    clearTimeout(this.#timer);
    const pending = this.#pending;
    try {
      const told = await this.get(`purchases/${encodeURIComponent(pending.id)}/`);
      if (this.#pending !== pending) return;
      const status = String(told.status).toLowerCase();
      if (status !== "pending") return this.#ended(status, told);
      if (told.next_step === "retry") return this.#ended("failed", told);
      this.#told(told);
    } catch (error) {
      if (this.#pending !== pending) return;
      if (error.status === 404) return this.#ended("failed", {});
      // Otherwise it is asked again: a network comes back.
    }
    if (document.visibilityState === "visible") this.#timer = setTimeout(() => this.#check(), LOOK_AGAIN_MS);
  }

  async #otp(event) {
    event.preventDefault();
    const form = event.target;
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const told = await this.post(`purchases/${encodeURIComponent(this.#pending.id)}/otp/`, { otp: form.elements.otp.value.trim() });
      form.elements.otp.value = "";
      this.#told({ next_step: "approve_on_phone", ...told });
      this.#check();
    } catch (error) {
      if (error instanceof Problem && error.status >= 400 && error.status < 500) return this.#anew(this.#pending, this.say("otp_wrong"));
      form.prepend(this.#alert(this.say("trouble")));
    } finally {
      button.disabled = false;
    }
  }

  /** Begin again after an attempt that failed: its order is given up, though a payment that comes late still counts. */
  async #anew(pending, trouble) {
    this.#end();
    await this.post(`purchases/${encodeURIComponent(pending.id)}/cancel/`, {}).catch(() => {});
    return this.#packs(trouble);
  }

  #end() {
    clearTimeout(this.#timer);
    this.#pending = null;
    kept.write(null);
    this.relabel();
  }

  async #ended(status, told) {
    const pending = this.#pending;
    this.#end();
    const paid = ["successful", "partially_refunded", "refunded", "disputed"].includes(status);
    if (paid) {
      changed();
      this.tell("ai-buy-credits:paid", { purchase: told });
      return this.#done(told);
    }
    const held = status === "quarantined";
    this.#step(
      held ? "checked_title" : "failed_title",
      make("p", { role: "alert" }, this.say(held ? "checked" : "failed")),
      make("div", { class: "actions" }, held ? null : this.#action("again", () => this.#anew(pending)), this.#action("close", () => this.close(), { plain: true })),
    );
  }

  async #done(told) {
    const added = told.credits_added ?? told.credits;
    const text = make("p", { role: "status" }, added === undefined ? this.say("done_plain") : this.say("done", { n: amount(added) }));
    const finish = this.#finish();
    const again = finish && this.#action("finish", () => { this.close(); finish(); }, { values: { name: this.#want.name ?? "" } });
    this.#step("done_title", text, make("div", { class: "actions" }, again, this.#action("close", () => this.close(), { plain: Boolean(again) })));
    try {
      const now = await this.get("credits/");
      text.append(` ${this.say("balance", { n: amount(now.available ?? now.balance) })}`);
    } catch {
      // The badge shows it, or says that it does not know.
    }
  }

  /** What was interrupted; after a reload, the gate with the same id on this page, or the one of its feature without. */
  #finish() {
    if (this.#want.finish) return this.#want.finish;
    const { gate: id, feature } = this.#want;
    const same = feature && `ai-gate[feature="${CSS.escape(feature)}"]`;
    const gate = same && document.querySelector(id ? `${same}[id="${CSS.escape(id)}"]` : same);
    if (!gate) return null;
    this.#want.name ??= gate.name;
    return () => gate.go();
  }
}

/** <ai-trial-banner>: free credits to begin with; gone once they are claimed. */
class TrialBanner extends AiElement {
  connectedCallback() {
    this.hidden = true;
    this.#ask();
  }

  relabel() {
    if (!this.hidden) this.#ask();
  }

  async #ask() {
    try {
      const told = await this.get("credits/");
      const left = told.trial_credits;
      if (Number(left) > 0) this.#offer(left);
    } catch {
      this.hidden = true;
    }
  }

  #offer(left) {
    const button = make("button", { type: "button", part: "button", onclick: () => this.#claim(button, left) }, this.say("trial", { n: amount(left) }));
    this.shadowRoot.replaceChildren(make("div", { class: "banner", part: "banner" }, make("p", {}, this.say("trial_text")), button));
    this.hidden = false;
  }

  async #claim(button, left) {
    button.disabled = true;
    let said;
    try {
      await this.post("trial/", {}, freshKey());
      said = this.say("trial_done", { n: amount(left) });
      changed();
      this.tell("ai-trial-banner:claimed", {});
    } catch (error) {
      if (error.status !== 409) {
        button.disabled = false;
        button.before(make("p", { class: "alert", role: "alert" }, error.message || this.say("trouble")));
        return;
      }
      said = this.say("trial_had");
    }
    this.shadowRoot.replaceChildren(make("p", { role: "status", part: "banner" }, said));
  }
}

// One look at the price list serves every button of a page.
const priceLists = new Map();

function prices(element) {
  const url = element.url("pricing/");
  if (!priceLists.has(url)) {
    const asked = element.ask("GET", url);
    asked.catch(() => priceLists.delete(url));
    priceLists.set(url, asked);
  }
  return priceLists.get(url);
}

/** The 402 of the API in whatever a host's function returned or threw; null for anything else. */
async function shortage(outcome) {
  const response = outcome instanceof Response ? outcome : outcome?.response instanceof Response ? outcome.response : null;
  if (response) return response.status === 402 ? parsed(await response.clone().text()) : null;
  if ((outcome?.status ?? outcome?.response?.status) !== 402) return null;
  return outcome.problem ?? outcome.response?.data ?? outcome;
}

/** A host's answer that is no success, with what it says if it is a problem in the form of ours. */
async function refused(response) {
  const told = parsed(await response.clone().text());
  return Object.assign(new Problem(response.status, told.code ? told : null), { response });
}

/**
 * <ai-gate feature>: a button with its price; when credits are short it sells some, then offers to go on.
 * A feature that is not on the price list is not on for this business: the gate hides, unless the list could not be had.
 * The property `run` does the work, `({feature}) => value | Response | Promise`, or a listener of `ai-gate:run`.
 */
class Gate extends AiElement {
  static observedAttributes = ["feature"];
  #button;
  #label;
  #price;
  #said;
  #interrupted = false;
  #off = false;

  constructor() {
    super();
    this.#label = make("slot", { onslotchange: () => this.isConnected && this.relabel() });
    this.#price = make("span", { part: "price", class: "dots" });
    this.#button = make("button", { type: "button", part: "button", onclick: () => this.go() }, this.#label, this.#price);
    this.#said = make("p", { role: "alert", part: "error" });
    this.#said.hidden = true;
    this.shadowRoot.append(this.#button, this.#said);
  }

  connectedCallback() {
    this.relabel();
  }

  attributeChangedCallback(_name, before, after) {
    if (before !== after && this.isConnected) this.relabel();
  }

  get feature() {
    return this.getAttribute("feature");
  }

  /** What the button is called. */
  get name() {
    return this.textContent.trim() || this.#label.textContent || this.feature;
  }

  async relabel() {
    if (this.feature === null) return;
    if (!this.#label.textContent) this.#call(this.say("loading"));
    try {
      const listed = ((await prices(this)).feature_costs ?? []).find((one) => one.feature === this.feature);
      this.#show(listed);
      if (!listed) throw new Problem(404, null);
      this.#call(listed.name ?? this.feature);
      const free = Number(listed.credits) === 0;
      this.#price.textContent = `, ${free ? this.say("free") : this.say("price", { n: amount(listed.credits) })}`;
    } catch {
      this.#call(this.feature);
      this.#price.textContent = "";
    }
    // A reader would put a blank before the comma, where the two parts of the button meet.
    this.#button.setAttribute("aria-label", `${this.name}${this.#price.textContent}`);
  }

  /** Hide what is not on sale here, and show only what was hidden here: a page may hide its gates itself. */
  #show(listed) {
    if (this.#off !== !listed) this.hidden = this.#off = !listed;
  }

  /** Name the button, where the page does not; the same name again would be told as a change for ever. */
  #call(name) {
    if (!this.textContent.trim() && this.#label.textContent !== name) this.#label.textContent = name;
  }

  /** Do the work, as if the button were pressed. */
  async go() {
    if (this.#button.disabled) return;
    this.#busy(true);
    this.#said.hidden = true;
    let result, problem;
    try {
      result = await this.#work();
      problem = await shortage(result);
      if (!problem && result instanceof Response && !result.ok) throw await refused(result);
    } catch (error) {
      problem = await shortage(error);
      if (!problem) {
        if (this.tell("ai-gate:error", { feature: this.feature, error })) this.#fail(error);
        return;
      }
    } finally {
      this.#busy(false);
    }
    if (problem) return this.#sell(problem);
    this.#interrupted = false;
    changed();
    this.tell("ai-gate:done", { feature: this.feature, result });
  }

  async #work() {
    if (typeof this.run === "function") return this.run({ feature: this.feature });
    let given;
    this.tell("ai-gate:run", { feature: this.feature, waitUntil: (promise) => (given = promise) });
    return given;
  }

  #busy(busy) {
    this.#button.disabled = busy;
    this.#button.setAttribute("aria-busy", String(busy));
  }

  #fail(error) {
    this.#said.textContent = (error instanceof Problem && error.message) || this.say("trouble");
    this.#said.hidden = false;
  }

  #sell(problem) {
    this.#interrupted = true;
    this.#till().open({ problem, feature: this.feature, gate: this.id, name: this.name, finish: () => this.go() });
  }

  #till() {
    const named = this.getAttribute("buy");
    const found = named ? document.getElementById(named) : document.querySelector("ai-buy-credits");
    if (found) return found;
    const made = make("ai-buy-credits", { headless: true, api: this.getAttribute("api"), csrf: this.getAttribute("csrf") });
    document.body.append(made);
    return made;
  }

  /** Whether credits were short and the work was not done since. */
  get interrupted() {
    return this.#interrupted;
  }
}

/** <ai-order-wait order seconds step>: our own page of an order; it runs the clock and loads the page again. */
class OrderWait extends AiElement {
  #timer = null;
  #clock = null;
  #look = () => document.visibilityState === "visible" && this.#check();

  connectedCallback() {
    const shown = make("p", { class: "clock", role: "timer", "aria-live": "off" });
    const heard = make("p", { class: "quiet", role: "status" });
    this.shadowRoot.replaceChildren(shown, heard);
    this.#clock = new Countdown(shown, heard, (key, values) => this.say(key, values));
    this.#clock.start(Number(this.getAttribute("seconds") ?? 0));
    document.addEventListener("visibilitychange", this.#look);
    this.#timer = setTimeout(() => this.#check(), LOOK_AGAIN_MS);
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#look);
    clearTimeout(this.#timer);
    this.#clock?.stop();
  }

  async #check() {
    clearTimeout(this.#timer);
    try {
      const told = await this.get(`purchases/${encodeURIComponent(this.getAttribute("order"))}/`);
      const step = told.next_step ?? this.getAttribute("step");
      if (String(told.status).toLowerCase() !== "pending" || step !== this.getAttribute("step")) return location.reload();
    } catch {
      // The page itself has a button that looks again.
    }
    if (document.visibilityState === "visible") this.#timer = setTimeout(() => this.#check(), LOOK_AGAIN_MS);
  }
}

const ELEMENTS = {
  "ai-credits-badge": CreditsBadge,
  "ai-buy-credits": BuyCredits,
  "ai-trial-banner": TrialBanner,
  "ai-gate": Gate,
  "ai-order-wait": OrderWait,
};

for (const [name, element] of Object.entries(ELEMENTS)) {
  if (!customElements.get(name)) customElements.define(name, element);
}
