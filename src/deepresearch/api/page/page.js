"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const STAGES = {
    load: "Reading documents", plan: "Planning", index: "Indexing", read: "Searching and reading",
    compute: "Computing", write: "Writing", verify: "Verifying", report: "Rendering the report", review: "Review",
  };
  const RESTING = ["completed", "needs_review", "failed", "cancelled"];
  let token = sessionStorage.getItem("token") || "";
  let following = null;
  let current = null;

  class Refused extends Error {
    constructor(status, detail) { super(detail); this.status = status; }
  }

  const headers = (more) => ({ ...(token ? { Authorization: `Bearer ${token}` } : {}), ...more });

  async function call(path, options = {}) {
    let answer;
    try {
      answer = await fetch(path, { ...options, headers: headers(options.headers), credentials: "omit" });
    } catch {
      throw new Refused(0, "The server does not answer. Is it running?");
    }
    if (answer.ok) return answer;
    let detail = `The server answers ${answer.status}.`;
    try { detail = (await answer.json()).detail || detail; } catch { /* no problem document */ }
    throw new Refused(answer.status, detail);
  }

  const show = (id, visible) => { $(id).hidden = !visible; };
  const tell = (id, text) => { $(id).textContent = text || ""; $(id).hidden = !text; };

  function element(name, text, kind) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }

  async function open() {
    try {
      await Promise.all([listCollections(), listSessions()]);
    } catch (error) {
      if (error.status === 401) {
        show("gate", true); show("ask", false); show("past", false); show("session", false);
        if (token) tell("gate-error", error.message);
        $("token").focus();
        return;
      }
      tell("ask-error", error.message);
    }
    show("gate", false); show("ask", true); show("past", true);
    const named = decodeURIComponent(location.hash.slice(1));
    if (named) await openSession(named);
  }

  async function listCollections() {
    const found = (await (await call("/v1/collections")).json()).collections;
    const chosen = $("collection").value;
    $("collection").replaceChildren(new Option("none", ""), ...found.map(
      (one) => new Option(`${one.name} (${one.documents.toLocaleString()} documents)`, one.name)));
    $("collection").value = chosen;
  }

  async function listSessions() {
    const found = (await (await call("/v1/sessions?limit=20")).json()).sessions;
    show("no-sessions", found.length === 0);
    $("sessions").replaceChildren(...found.map((one) => {
      const button = element("button");
      button.type = "button";
      button.append(
        element("span", one.options.question, "title"),
        element("span", one.state.replace("_", " "), `state ${one.state}`),
        element("span", new Date(one.created_at).toLocaleString(), "when"));
      button.addEventListener("click", () => { location.hash = encodeURIComponent(one.id); });
      const line = element("li");
      line.append(button);
      return line;
    }));
  }

  async function ask(event) {
    event.preventDefault();
    tell("ask-error", "");
    const form = new FormData();
    form.append("question", $("question").value);
    if ($("collection").value) form.append("collection", $("collection").value);
    if ($("review").checked) form.append("review", "true");
    for (const file of $("files").files) form.append("files", file, file.name);
    $("send").disabled = true;
    try {
      const record = await (await call("/v1/sessions", { method: "POST", body: form })).json();
      $("ask-form").reset();
      location.hash = encodeURIComponent(record.id);
      await listSessions();
    } catch (error) {
      tell("ask-error", error.message);
    } finally {
      $("send").disabled = false;
    }
  }

  async function openSession(id) {
    if (following) following.abort();
    following = null;
    tell("session-error", "");
    show("report", false); show("review-form", false); show("cancel", false);
    $("stages").replaceChildren();
    $("progress").open = true;
    const at = `/v1/sessions/${encodeURIComponent(id)}`;
    try {
      current = await (await call(at)).json();
    } catch (error) {
      show("session", true);
      $("session-question").textContent = "No such session";
      $("session-id").textContent = id; setState("");
      tell("session-error", error.message);
      return;
    }
    show("session", true);
    $("session-question").textContent = current.options.question;
    $("session-id").textContent = id;
    setState(current.state);
    $("session").scrollIntoView({ block: "start" });
    await follow(at);
  }

  function setState(state) {
    $("session-state").textContent = state.replace("_", " ");
    $("session-state").className = `state ${state}`;
    show("cancel", state === "queued" || state === "running");
  }

  // Server-sent events over fetch, because an EventSource sends no token. A broken stream is taken up where it broke.
  async function follow(at) {
    const mine = new AbortController();
    following = mine;
    let after = 0;
    let pause = 250;
    while (!mine.signal.aborted) {
      try {
        const answer = await call(`${at}/events?after=${after}`, {
          signal: mine.signal, headers: { Accept: "text/event-stream" } });
        const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
        let rest = "";
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          pause = 250;
          const blocks = (rest + value).split("\n\n");
          rest = blocks.pop();
          for (const block of blocks) {
            const data = /^data: (.*)$/m.exec(block);
            if (!data) continue;
            const told = JSON.parse(data[1]);
            if (/^event: end$/m.test(block)) { await rested(at, told.state); return; }
            after = told.number;
            stage(told);
          }
        }
      } catch (error) {
        if (mine.signal.aborted) return;
        if (error.status && error.status < 500 && error.status !== 429) { tell("session-error", error.message); return; }
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
      pause = Math.min(5000, pause * 2);
    }
  }

  function stage(event) {
    const name = String(event.data.stage || "");
    if (event.kind === "session.failed") { tell("session-error", event.data.error); return; }
    if (!name) { if (event.kind !== "session.queued") line(event.kind, event.kind.replace(".", " "), "✓", ""); return; }
    const [kind, part] = name.split(":");
    if (event.kind === "stage.started") {
      setState("running");
      line(name, (STAGES[kind] || kind) + (part ? ` ${part}` : ""), "●", "running");
    } else if (event.kind === "stage.finished") {
      const refused = (event.data.refused || []).map((one) => `${one.source}: ${one.reason}`);
      const notes = [...refused, event.data.note].filter(Boolean);
      const made = line(name, (STAGES[kind] || kind) + (part ? ` ${part}` : ""), notes.length ? "!" : "✓",
        notes.length ? "warned" : "");
      made.querySelector(".seconds").textContent = `${Number(event.data.seconds || 0).toFixed(1)} s`;
      const told = [summary(kind, event.data), ...notes].filter(Boolean);
      for (const text of told) made.append(element("span", text, "told"));
    }
  }

  function summary(kind, data) {
    if (kind === "load") return `${data.documents} documents`;
    if (kind === "plan" && data.sub_questions) return data.sub_questions.map((one) => one.text).join(" · ");
    if (kind === "index") return `${data.passages} passages`;
    if (kind === "read" && "findings" in data) return `${data.findings} findings in ${data.documents} documents`;
    if (kind === "verify" && data.claims) {
      return Object.entries(data.claims).map(([band, count]) => `${count} ${band}`).join(", ") || "no claims";
    }
    return "";
  }

  function line(key, title, mark, kind) {
    let made = [...$("stages").children].find((one) => one.dataset.key === key);
    if (!made) {
      made = element("li");
      made.dataset.key = key;
      made.append(element("span", "", "mark"), element("span", title), element("span", "", "seconds"));
      $("stages").append(made);
    }
    for (const old of made.querySelectorAll(".told")) old.remove();
    made.className = kind;
    made.querySelector(".mark").textContent = mark;
    return made;
  }

  async function rested(at, state) {
    setState(state);
    following = null;
    if (!RESTING.includes(state)) return;
    try {
      const html = await (await call(`${at}/report?format=html`)).text();
      // The frame has no rights at all: the report runs nothing and reaches nothing.
      $("frame").srcdoc = html;
      show("report", true);
      $("progress").open = false;
    } catch (error) {
      if (error.status !== 409 || state !== "cancelled") tell("session-error", error.message);
    }
    show("review-form", state === "needs_review");
    await listSessions();
  }

  async function save(format) {
    const endings = { html: "html", markdown: "md", json: "json" };
    try {
      const answer = await call(`/v1/sessions/${encodeURIComponent(current.id)}/report?format=${format}`);
      const link = element("a");
      link.href = URL.createObjectURL(await answer.blob());
      link.download = `report-${current.id}.${endings[format]}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    } catch (error) {
      tell("session-error", error.message);
    }
  }

  async function decide(event) {
    event.preventDefault();
    const decision = event.submitter.value;
    try {
      await call(`/v1/sessions/${encodeURIComponent(current.id)}/review`, {
        method: "POST", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ decision, note: $("note").value }) });
      await openSession(current.id);
    } catch (error) {
      tell("session-error", error.message);
    }
  }

  async function cancel() {
    $("cancel").disabled = true;
    try {
      await call(`/v1/sessions/${encodeURIComponent(current.id)}/cancel`, { method: "POST" });
    } catch (error) {
      tell("session-error", error.message);
    } finally {
      $("cancel").disabled = false;
    }
  }

  $("ask-form").addEventListener("submit", ask);
  $("review-form").addEventListener("submit", decide);
  $("cancel").addEventListener("click", cancel);
  for (const button of document.querySelectorAll("[data-format]")) {
    button.addEventListener("click", () => save(button.dataset.format));
  }
  $("gate-form").addEventListener("submit", (event) => {
    event.preventDefault();
    token = $("token").value.trim();
    sessionStorage.setItem("token", token);
    $("token").value = "";
    tell("gate-error", "");
    open();
  });
  window.addEventListener("hashchange", () => openSession(decodeURIComponent(location.hash.slice(1))));
  open();
})();
