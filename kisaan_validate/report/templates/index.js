"use strict";
(() => {
  const pick = document.querySelector(".pick");
  if (!pick) return;
  const make = (tag, props, ...kids) => {
    const node = Object.assign(document.createElement(tag), props);
    node.append(...kids);
    return node;
  };
  const runs = [...document.querySelectorAll("tr.run")].map((node) => ({
    node,
    database: node.querySelector(".db").textContent.trim(),
    suite: node.querySelector(".su").textContent.trim(),
    verdict: [...node.classList].find((name) => name.startsWith("v-")).slice(2),
    get text() { return this._text ??= node.textContent.toLowerCase(); },
  }));
  const choice = (label, name) => {
    const values = [...new Set(runs.map((run) => run[name]))].sort();
    const select = make("select", {}, make("option", { value: "", textContent: "any" }),
      ...values.map((value) => make("option", { value, textContent: value })));
    // One value is no choice.
    if (values.length > 1) pick.append(make("label", {}, label, select));
    return select;
  };
  const choices = { database: choice("Database", "database"), suite: choice("Suite", "suite") };
  const query = make("input", { type: "search", size: 18 });
  pick.append(make("label", {}, "Text", query));
  const only = (verdict) => document.getElementById(`only-${verdict}`);
  const wanted = () => pick.querySelector("input[type=radio]:checked").id.slice(5);
  const shown = document.getElementById("shown");

  const apply = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean), verdict = wanted();
    let count = 0;
    for (const run of runs) {
      const hit = Object.entries(choices).every(([name, select]) => !select.value || run[name] === select.value)
        && words.every((word) => run.text.includes(word));
      run.node.hidden = !hit;
      count += hit && (verdict === "all" || run.verdict === verdict);
    }
    for (const month of document.querySelectorAll("#runs tbody")) month.hidden = !month.querySelector("tr.run:not([hidden])");
    shown.hidden = count === runs.length;
    shown.textContent = shown.hidden ? "" : `${count} of the ${runs.length} runs of this page shown`;
  };
  // The address holds what is chosen, so that it can be sent to a colleague.
  const remember = () => {
    const state = new URLSearchParams();
    for (const [name, select] of Object.entries(choices)) if (select.value) state.set(name, select.value);
    if (wanted() !== "all") state.set("verdict", wanted());
    if (query.value) state.set("text", query.value);
    history.replaceState(null, "", state.size ? `#?${state}` : location.pathname + location.search);
    apply();
  };
  const recall = () => {
    if (location.hash && !location.hash.startsWith("#?")) return;
    const state = new URLSearchParams(location.hash.slice(2));
    for (const [name, select] of Object.entries(choices)) {
      select.value = state.get(name) ?? "";
      if (select.selectedIndex < 0) select.value = "";
    }
    (only(state.get("verdict") ?? "all") ?? only("all")).checked = true;
    query.value = state.get("text") ?? "";
    apply();
  };
  pick.oninput = remember;
  addEventListener("hashchange", recall);
  recall();
})();
