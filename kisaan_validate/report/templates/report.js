"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const make = (tag, props, ...kids) => {
    const node = Object.assign(document.createElement(tag), props);
    node.append(...kids);
    return node;
  };
  const cards = [...document.querySelectorAll("details.ck")].map((node) => ({
    node,
    status: [...node.classList].find((c) => c.startsWith("s-")).slice(2),
    severity: node.dataset.v,
    table: node.dataset.t,
    text: node.textContent.toLowerCase(),
  }));
  const groups = [...document.querySelectorAll("#checks .group")];
  const words = new Map(cards.map((c) => [c.status, c.node.querySelector(".st").textContent]));

  // --- filter: its state is in the address, so that it can be sent to a colleague ---------------------------------
  const form = $("filter");
  const boxes = [...words].map(([status, word]) => {
    const box = make("input", { type: "checkbox", value: status, checked: true });
    form.append(make("label", {}, box, word));
    return box;
  });
  const choice = (label, values) => {
    const select = make("select", {}, make("option", { value: "", textContent: "any" }),
      ...values.map((value) => make("option", { value, textContent: value })));
    form.append(make("label", {}, label, select));
    return select;
  };
  const severity = choice("Severity", ["blocking", "warning", "info"]);
  const table = choice("Table", [...new Set(cards.map((c) => c.table))].sort());
  const query = make("input", { type: "search", size: 18 });
  form.append(make("label", {}, "Text", query));
  const reset = make("button", { type: "button", textContent: "Show all" });
  const unfold = make("button", { type: "button", textContent: "Unfold everything" });
  form.append(reset, unfold);

  const apply = () => {
    const on = new Set(boxes.filter((b) => b.checked).map((b) => b.value));
    const text = query.value.trim().toLowerCase();
    let shown = 0;
    for (const card of cards) {
      const hit = on.has(card.status) && (!severity.value || card.severity === severity.value)
        && (!table.value || card.table === table.value) && (!text || card.text.includes(text));
      card.node.hidden = !hit;
      shown += hit;
    }
    for (const group of groups) group.hidden = !group.querySelector("details.ck:not([hidden])");
    $("shown").textContent = shown === cards.length ? "" : `${shown} of ${cards.length} checks shown; the others are hidden by the filter`;
    $("shown").hidden = shown === cards.length;
  };
  const remember = () => {
    const state = new URLSearchParams();
    if (boxes.some((b) => !b.checked)) state.set("status", boxes.filter((b) => b.checked).map((b) => b.value).join(","));
    if (severity.value) state.set("severity", severity.value);
    if (table.value) state.set("table", table.value);
    if (query.value) state.set("text", query.value);
    history.replaceState(null, "", state.size ? `#?${state}` : location.pathname + location.search);
    apply();
  };
  const recall = () => {
    const state = new URLSearchParams(location.hash.slice(2));
    const wanted = state.has("status") ? state.get("status").split(",") : null;
    for (const box of boxes) box.checked = !wanted || wanted.includes(box.value);
    severity.value = state.get("severity") || "";
    table.value = state.get("table") || "";
    query.value = state.get("text") || "";
    apply();
  };
  const clear = () => {
    for (const box of boxes) box.checked = true;
    severity.value = table.value = query.value = "";
  };

  // --- a link to a check unfolds it, and shows it if the filter had hidden it -------------------------------------
  const arrive = () => {
    if (location.hash.startsWith("#?")) return recall();
    const target = $(location.hash.slice(1));
    if (!target) return;
    if (target.hidden || target.closest("[hidden]")) { clear(); apply(); }
    if (target.tagName === "DETAILS") { target.open = true; target.scrollIntoView(); }
  };

  // --- a button that copies the SQL, made when a check is unfolded ------------------------------------------------
  const copyable = (node) => {
    for (const label of node.querySelectorAll(".lb:not(:has(button))")) {
      const button = make("button", { type: "button", textContent: "Copy" });
      button.onclick = async () => {
        const pre = label.nextElementSibling;
        try {
          await navigator.clipboard.writeText(pre.textContent);
          button.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(pre);
          button.textContent = "Selected: press Ctrl+C";
        }
        setTimeout(() => { button.textContent = "Copy"; }, 2500);
      };
      label.append(button);
    }
  };
  document.addEventListener("toggle", (event) => { if (event.target.open) copyable(event.target); }, true);
  for (const card of cards) if (card.node.open) copyable(card.node);

  form.oninput = remember;
  form.onsubmit = (event) => event.preventDefault();
  reset.onclick = () => { clear(); remember(); };
  unfold.onclick = () => { for (const node of document.querySelectorAll("main details")) node.open = true; };
  addEventListener("hashchange", arrive);
  form.hidden = cards.length < 2;
  arrive();
})();
