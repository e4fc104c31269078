"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const make = (tag, props, ...kids) => {
    const node = Object.assign(document.createElement(tag), props);
    node.append(...kids);
    return node;
  };
  const lower = (text) => text.toLowerCase();
  const listed = (text) => (text ?? "").split(", ").filter(Boolean);
  // A check that holds is a line of a group, which says what its lines share; any other has a fold of its own.
  const cards = [...document.querySelectorAll(".ck, .gp li")].map((node) => {
    const group = node.closest(".gp"), own = group ?? node, part = node.closest(".tb");
    // Several checks of one line of the suite share what it says of them.
    const link = group && (node.querySelector("p > a")?.hash ?? node.querySelector("p")?.textContent.match(/#\d+$/)?.[0].replace("#", "#d"));
    const declared = link && $(link.slice(1)), said = declared ?? node;
    const word = (line, fold) => said.querySelector(group ? line : fold)?.textContent ?? "";
    return {
      node, group, part, declared,
      status: [...own.classList].find((c) => c.startsWith("s-")).slice(2),
      severity: word("em", "i"),
      owner: word("strong", ".ow"),
      table: part.querySelector("h3").textContent,
      since: own.dataset.w ? "waived" : own.dataset.m || "",
      get tags() { return this._tags ??= listed(word("u", ".tg")); },
      get text() {
        return this._text ??= lower([this.table, group?.firstElementChild.textContent, node.textContent, declared?.textContent].join(" "));
      },
    };
  });
  const parts = [...document.querySelectorAll(".tb")];
  const groups = [...document.querySelectorAll(".gp")];
  const folds = [...parts, ...document.querySelectorAll(".hold")];
  const stood = folds.map((fold) => fold.open);
  const words = new Map(cards.map((c) => [c.status, (c.group ?? c.node).querySelector(".st").textContent]));
  const FAILING = ["fail", "error", "skip"];

  // --- filter: its state is in the address, so that it can be sent to a colleague ---------------------------------
  const form = $("filter");
  const boxes = [...words].map(([status, word]) => {
    const box = make("input", { type: "checkbox", value: status, checked: true });
    form.append(make("label", {}, box, word));
    return box;
  });
  const choice = (label, values) => {
    const select = make("select", {}, make("option", { value: "", textContent: "any" }),
      ...values.map(([value, text]) => make("option", { value, textContent: text ?? value })));
    if (values.length) form.append(make("label", {}, label, select));
    return select;
  };
  const distinct = (values) => [...new Set(values)].sort().map((value) => [value]);
  const SINCE = { new: "new", known: "known: failed before as well", fixed: "fixed", open: "cannot tell", waived: "waived" };
  const choices = {
    severity: choice("Severity", ["blocking", "warning", "info"].map((v) => [v])),
    table: choice("Table", distinct(cards.map((c) => c.table))),
    owner: choice("Owner", distinct(cards.map((c) => c.owner).filter(Boolean))),
    tag: choice("Tag", distinct(cards.flatMap((c) => c.tags))),
    since: choice("Since the baseline", Object.entries(SINCE).filter(([v]) => cards.some((c) => c.since === v))),
  };
  const query = make("input", { type: "search", size: 18 });
  query.setAttribute("aria-describedby", "how");
  form.append(make("label", { className: "wide" }, "Text", query));
  form.append(make("small", { id: "how", className: "quiet", textContent: "all words, in quotes for a phrase; -word leaves out" }));
  const button = (text, act) => {
    const made = make("button", { type: "button", textContent: text });
    made.onclick = act;
    form.append(made);
    return made;
  };

  // "a phrase", word, -word, -"a phrase": what must occur, and what must not
  const parse = (text) => [...text.toLowerCase().matchAll(/(-?)(?:"([^"]*)"?|(\S+))/g)]
    .map(([, minus, phrase, word]) => ({ out: minus === "-", text: phrase ?? word })).filter((t) => t.text);

  let whole = true;
  const apply = () => {
    const on = new Set(boxes.filter((b) => b.checked).map((b) => b.value));
    const terms = parse(query.value);
    let shown = 0;
    for (const card of cards) {
      const hit = on.has(card.status)
        && (!choices.severity.value || card.severity === choices.severity.value)
        && (!choices.table.value || card.table === choices.table.value)
        && (!choices.owner.value || card.owner === choices.owner.value)
        && (!choices.tag.value || card.tags.includes(choices.tag.value))
        && (!choices.since.value || card.since === choices.since.value)
        && terms.every((t) => card.text.includes(t.text) !== t.out);
      card.node.hidden = !hit;
      shown += hit;
    }
    const all = shown === cards.length, left = ":is(.ck, .gp li):not([hidden])";
    for (const group of groups) group.hidden = !group.querySelector(left);
    // While something is filtered, parts without a hit go and folds with one open; afterwards they stand as before.
    for (const [place, fold] of folds.entries()) {
      const hit = !!fold.querySelector(left);
      fold.hidden = !all && !hit;
      if (all !== whole) fold.open = all ? stood[place] : hit || fold.open;
      else if (!all && hit) fold.open = true;
    }
    whole = all;
    $("shown").textContent = all ? "" : `${shown} of ${cards.length} checks shown; the others are hidden by the filter`;
    $("shown").hidden = all;
  };
  let keys = true;
  const remember = () => {
    const state = new URLSearchParams();
    if (boxes.some((b) => !b.checked)) state.set("status", boxes.filter((b) => b.checked).map((b) => b.value).join(","));
    for (const [name, select] of Object.entries(choices)) if (select.value) state.set(name, select.value);
    if (query.value) state.set("text", query.value);
    if (!keys) state.set("keys", "off");
    history.replaceState(null, "", state.size ? `#?${state}` : location.pathname + location.search);
    apply();
  };
  const recall = () => {
    const state = new URLSearchParams(location.hash.slice(2));
    const wanted = state.has("status") ? state.get("status").split(",") : null;
    for (const box of boxes) box.checked = !wanted || wanted.includes(box.value);
    for (const [name, select] of Object.entries(choices)) select.value = state.get(name) || "";
    for (const select of Object.values(choices)) if (select.selectedIndex < 0) select.value = "";
    query.value = state.get("text") || "";
    keys = state.get("keys") !== "off";
    apply();
  };
  const clear = () => {
    for (const box of boxes) box.checked = true;
    for (const select of Object.values(choices)) select.value = "";
    query.value = "";
  };

  // --- a link to a check unfolds it, and shows it if the filter had hidden it -------------------------------------
  const arrive = () => {
    if (location.hash.startsWith("#?")) return recall();
    const target = $(location.hash.slice(1));
    if (!target) return;
    if (target.hidden || target.closest("[hidden]")) { clear(); apply(); }
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    if (target.closest("details")) target.scrollIntoView({ behavior: "instant" });
    if (target.matches(".gp li")) equip(target);
  };

  // --- buttons that copy the SQL, the psql command and the address, made when a check is unfolded ------------------
  const copier = (text, what, shown) => {
    const made = make("button", { type: "button", textContent: text });
    made.onclick = async () => {
      try {
        await navigator.clipboard.writeText(what());
        made.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(shown);
        made.textContent = "Selected: press Ctrl+C";
      }
      setTimeout(() => { made.textContent = text; }, 2500);
    };
    return made;
  };
  const command = (sql) => {
    let word = "SQL";
    while (sql.split("\n").includes(word)) word += "_";
    return `${$("env").textContent}\npsql -X -v ON_ERROR_STOP=1 <<'${word}'\n${sql}\n${word}\n`;
  };
  // On a page of very many checks, SQL stands in two parts of a frame that its table has.
  const sqlOf = (pre) => {
    const cut = pre.querySelector("s");
    if (!cut) return pre.textContent;
    const nodes = [...pre.childNodes], at = nodes.indexOf(cut);
    const [first, second] = [nodes.slice(0, at), nodes.slice(at + 1)].map((some) => some.map((n) => n.textContent).join(""));
    const [before, rest] = pre.closest(".hold").querySelector(".fr code").textContent.split("①");
    const [between, after] = rest.split("②");
    return before + first + between + second + after;
  };
  const equip = (node) => {
    const body = node.querySelector(":scope > .bd") ?? node;
    if (body.querySelector(".cp")) return;
    const row = make("div", { className: "cp" });
    const pre = body.querySelector("pre");
    if (pre) {
      row.append(copier("Copy SQL", () => sqlOf(pre), pre));
      if (!pre.classList.contains("py")) row.append(copier("Copy psql command", () => command(sqlOf(pre)), pre));
    }
    // A fold has its link written out; a line has not.
    if (body === node) row.append(copier("Copy link", () => `${location.href.split("#")[0]}#${node.id}`, node.querySelector("b")));
    const declared = body === node && cards.find((c) => c.node === node).declared;
    if (declared) row.append(make("p", {}, ...[...declared.childNodes].map((n) => n.cloneNode(true))));
    if (!row.children.length) return;
    const before = pre ? pre.closest(".sq") ?? pre : body.lastElementChild;
    if (before === body.lastElementChild && body === node && !pre) body.append(row); else before.before(row);
  };
  document.addEventListener("toggle", (event) => { if (event.target.open && event.target.matches(".ck")) equip(event.target); }, true);
  document.addEventListener("click", (event) => { const line = event.target.closest(".gp li"); if (line) equip(line); });
  for (const card of cards) if (card.node.open) equip(card.node);

  // --- keyboard ---------------------------------------------------------------------------------------------------
  const go = (card) => {
    if (!card) return;
    for (let node = card.node.parentElement; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    // A line is no control: it takes the focus only when somebody walks to it.
    const head = card.group ? card.node : card.node.firstElementChild;
    if (card.group) { head.tabIndex = -1; equip(card.node); }
    head.focus({ preventScroll: true });
    card.node.scrollIntoView({ block: "start", behavior: "instant" });
  };
  const step = (by, wanted) => {
    const seen = cards.filter((c) => !c.node.hidden && wanted(c));
    const here = document.activeElement?.closest(".ck, .gp li");
    const at = here ? seen.findIndex((c) => c.node === here) : -1;
    if (at >= 0) return go(seen[at + by]);
    if (!here) return go(by > 0 ? seen[0] : seen.at(-1));
    const after = (c) => here.compareDocumentPosition(c.node) & Node.DOCUMENT_POSITION_FOLLOWING;
    go(by > 0 ? seen.find(after) : seen.filter((c) => !after(c)).at(-1));
  };
  const failing = (c) => FAILING.includes(c.status);
  const toggled = () => {
    const here = document.activeElement?.closest("details.ck");
    if (here) here.open = !here.open;
  };
  const ACTS = [
    ["/", "search the checks", () => query.focus()],
    ["j", "next check", () => step(1, () => true)],
    ["k", "previous check", () => step(-1, () => true)],
    ["n", "next check that failed or has no answer", () => step(1, failing)],
    ["p", "the one before it", () => step(-1, failing)],
    ["o", "unfold or fold the check (as Enter does)", toggled],
    ["c", "clear the filter", () => { clear(); remember(); }],
    ["?", "this help", () => help.showModal()],
  ];
  const lines = ACTS.map(([key, what]) => make("tr", {}, make("th", { scope: "row" }, make("kbd", { textContent: key })), make("td", { textContent: what })));
  lines.push(make("tr", {}, make("th", { scope: "row" }, make("kbd", { textContent: "Esc" })), make("td", { textContent: "leave the search, close the help" })));
  const switchKeys = make("input", { type: "checkbox", checked: true });
  switchKeys.onchange = () => { keys = switchKeys.checked; remember(); };
  const close = make("button", { type: "button", textContent: "Close" });
  const help = make("dialog", { id: "help" },
    make("h2", { id: "help-title", textContent: "Keyboard" }),
    make("table", {}, make("caption", { className: "vh", textContent: "Keys and what they do" }),
      make("thead", {}, make("tr", {}, make("th", { scope: "col", textContent: "Key" }), make("th", { scope: "col", textContent: "What it does" }))),
      make("tbody", {}, ...lines)),
    make("p", {}, make("label", {}, switchKeys, " single keys are on")),
    make("p", { className: "quiet", textContent: "The address of the page holds the filter and this choice: copy it to show somebody what you see." }),
    close);
  help.setAttribute("aria-labelledby", "help-title");
  close.onclick = () => help.close();
  document.body.append(help);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.activeElement === query) return query.blur();
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName) && document.activeElement.type !== "checkbox";
    if (!keys || typing || help.open || event.ctrlKey || event.metaKey || event.altKey || cards.length === 0) return;
    const act = ACTS.find(([key]) => key === event.key);
    if (!act) return;
    event.preventDefault();
    act[2]();
  });

  // --- paper shows what failed, however it is folded on the screen -------------------------------------------------
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...cards.filter(failing).map((c) => c.node), ...folds].filter((node) => !node.open);
    for (const node of folded) node.open = true;
  });
  addEventListener("afterprint", () => { for (const node of folded) node.open = false; });

  button("Show all", () => { clear(); remember(); });
  button("Unfold everything", () => { for (const node of document.querySelectorAll("main details:not([hidden])")) node.open = true; });
  button("Keyboard (?)", () => { switchKeys.checked = keys; help.showModal(); });
  form.oninput = remember;
  form.onsubmit = (event) => event.preventDefault();
  addEventListener("hashchange", arrive);
  form.hidden = cards.length < 2;
  arrive();
})();
