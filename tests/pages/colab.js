// A stand-in of Colab's page: a session that idles out, the button that shows its state, and
// what clicks do there. `colab` holds what happened.
const IDLE = 90 * 60_000;
const WORDS = {
  en: {
    connected: ["Connected to Python 3 Google Compute Engine backend\nRAM: 1.2 GB/12.67 GB", ""],
    busy: ["Busy\nRAM: 1.2 GB/12.67 GB", "Busy"],
    connecting: ["Click to connect", "Connecting"],
    offered: ["Click to connect", "Connect"],
    lost: ["Click to connect", "Reconnect"],
    leaving: ["Click to disconnect", "Disconnect"],
  },
  de: {
    connected: ["Verbunden mit dem Back-End\nRAM: 1,2 GB/12,67 GB", "Verbunden"],
    connecting: ["Verbindung wird hergestellt", "Wird verbunden"],
    offered: ["Klicken Sie hier", "Verbinden"],
    lost: ["Klicken Sie hier", "Erneut verbinden"],
  },
};

const make = (name, id, text = "") =>
  Object.assign(document.createElement(name), { id, textContent: text });
const later = (minutes, action) => setTimeout(action, minutes * 60_000);

class Colab {
  constructor(settings) {
    Object.assign(this, settings);
    this.clicks = []; // the id of each element clicked
    this.effective = []; // minutes at which a click told Colab that somebody is there
    this.behind = 0; // clicks on the connect button while a question was open
    this.needless = 0; // clicks on the connect button while it offers nothing
    this.idled = 0; // times that the session was lost for want of a sign of life
    this.ended = 0; // times that a click ended the session
    this.disturbed = { focus: 0, panel: 0 }; // minutes with the focus or a panel not the user's
    this.keys = 0;
    this.began = this.active = Date.now();
    document.addEventListener("click", (event) => this.note(event), true);
    document.addEventListener("keydown", () => this.keys++, true);
    this.button();
    document.querySelector("#commands").onclick = () => this.ask("palette", "colab-dialog");
    const editor = document.querySelector("#editor");
    editor.focus();
    if (this.opened) this.toggle();
    if (this.question) {
      later(this.question[1], () => this.ask("question", ...this.question));
      later(this.question[2], () => this.answer());
    }
    setInterval(() => this.pass(), 10_000);
    setTimeout(() => setInterval(() => this.sample(editor), 60_000), 30_000);
    if (this.redraw) setInterval(() => this.button(), this.redraw * 60_000);
    if (this.state === "connecting") later(3, () => this.show("connected"));
    document.querySelector("#disconnect")?.addEventListener("click", () => this.leave());
  }

  get asked() {
    return document.querySelector("#question, #palette");
  }

  get panel() {
    return document.querySelector("#panel");
  }

  note(event) {
    const element = event.composedPath()[0];
    const connect = element.closest("#connect") && !element.closest(".cell");
    this.clicks.push(connect ? "connect" : element.id || element.localName);
    if (connect && this.asked) this.behind++;
  }

  // Draws the button, or draws it anew, as the page does now and then.
  button() {
    const old = document.querySelector(this.element);
    if (!old) return;
    const host = make(old.localName, old.id);
    old.replaceWith(host);
    if (this.element === "colab-connect-button") {
      this.face = make("colab-toolbar-button", "connect");
      const leave = make("colab-toolbar-button", "disconnect", "Disconnect and delete runtime");
      leave.addEventListener("click", () => this.leave());
      host.attachShadow({ mode: "open" }).append(
        make("colab-toolbar-button", "connect-icon"), this.face,
        make("colab-toolbar-button", "connect-dropdown", "v"), leave);
    } else {
      this.face = host;
    }
    this.face.addEventListener("click", () => this.clicked());
    this.show(this.state);
  }

  show(state) {
    this.state = state;
    if (this.face) this.say(...(WORDS[document.documentElement.lang][state] ?? []));
  }

  say(tooltip, label) {
    if (this.element === "colab-connect-button") this.face.setAttribute("tooltiptext", tooltip);
    this.face.textContent = label;
  }

  clicked() {
    if (this.asked) return;
    this.effective.push(Math.round((Date.now() - this.began) / 60_000));
    this.active = Date.now();
    if (!["offered", "lost"].includes(this.state)) this.needless++;
    if (["offered", "lost"].includes(this.state)) {
      if (this.refused) return this.ask("question", "dialog");
      this.show("connecting");
      setTimeout(() => this.show("connected"), 20_000);
    } else if (["connected", "busy"].includes(this.state)) {
      if (this.opens) setTimeout(() => this.toggle(), this.wait);
    } else if (this.state === "leaving") {
      this.leave();
    }
  }

  leave() {
    this.ended++;
    this.show("lost");
  }

  // The panel takes the focus; the dialog of the sessions is closed by Escape only.
  toggle() {
    const dialog = this.opens === "colab-sessions-dialog";
    if (this.panel) return dialog || this.panel.remove();
    const panel = make(this.opens, "panel");
    panel.append(make("input", "search"));
    panel.addEventListener("keydown", (e) => dialog && e.key === "Escape" && panel.remove());
    document.body.append(panel);
    if (!this.opened) panel.firstChild.focus();
  }

  ask(id, name) {
    if (this.asked) return;
    const asked = make(name, id, "Are you still there? ");
    asked.setAttribute("open", "");
    asked.append(make("button", "ok", "OK"));
    document.body.append(asked);
  }

  answer() {
    this.asked.remove();
    this.active = Date.now();
  }

  pass() {
    if (!["connected", "busy"].includes(this.state) || Date.now() - this.active < IDLE) return;
    this.idled++;
    this.show("lost");
  }

  sample(editor) {
    if (document.activeElement !== editor) this.disturbed.focus++;
    if (!this.panel !== !this.opened) this.disturbed.panel++;
  }
}
