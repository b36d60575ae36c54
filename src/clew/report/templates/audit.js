"use strict";
(() => {
  const HEIGHT = 34;
  const VERDICTS = ["fail", "unknown", "suppressed"];
  const island = document.getElementById("data");
  const view = document.getElementById("view");
  if (!island || !view) { return; }
  const space = document.getElementById("space");
  const search = document.getElementById("search");
  const checkBox = document.getElementById("check");
  const verdictBox = document.getElementById("verdict");
  const accountBox = document.getElementById("account");
  const regionBox = document.getElementById("region");
  const newBox = document.getElementById("new");
  const shown = document.getElementById("shown");
  const drawer = document.getElementById("drawer");
  let data = null;
  let picked = [];
  let selected = -1;

  const unpack = async () => {
    const bytes = Uint8Array.from(atob(island.textContent.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  };
  // Every text of the account goes into the page as text, never as markup.
  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) { made.textContent = text; }
    if (className) { made.className = className; }
    return made;
  };
  const short = (arn) => arn.split(":").slice(5).join(":") || arn;
  const message = (row) => data.messages[row[6]];
  const fill = (box, values, all) => {
    box.replaceChildren(new Option(all, ""), ...values.map((text, index) => new Option(text || "(none)", String(index))));
  };
  const draw = () => {
    const first = Math.max(0, Math.floor(view.scrollTop / HEIGHT) - 8);
    const last = Math.min(picked.length, first + Math.ceil(view.clientHeight / HEIGHT) + 16);
    const rows = [];
    for (let place = first; place < last; place += 1) {
      const row = data.rows[picked[place]];
      const check = data.checks[row[0]];
      const line = element("div", undefined, picked[place] === selected ? "vrow on" : "vrow");
      line.style.top = `${place * HEIGHT}px`;
      line.dataset.row = String(picked[place]);
      line.setAttribute("role", "row");
      const verdict = VERDICTS[row[3]];
      const pill = element("span");
      pill.append(element("span", verdict === "fail" ? check.severity : verdict, `pill ${verdict === "fail" ? check.severity : verdict}`));
      const title = element("span", `${row[4] ? "new · " : ""}${check.title}`);
      const cells = [short(row[5]), data.accounts[row[1]], data.regions[row[2]], message(row)].map((text) => element("span", text));
      cells[0].className = "mono";
      for (const cell of [title, ...cells]) { cell.title = cell.textContent; }
      line.append(pill, title, ...cells);
      rows.push(line);
    }
    space.replaceChildren(...rows);
  };
  const filter = () => {
    if (!data) { return; }
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const [check, verdict, account, region] = [checkBox, verdictBox, accountBox, regionBox].map((box) => (box.value === "" ? -1 : Number(box.value)));
    picked = [];
    data.rows.forEach((row, index) => {
      if ((check >= 0 && row[0] !== check) || (verdict >= 0 && row[3] !== verdict) || (account >= 0 && row[1] !== account)) { return; }
      if ((region >= 0 && row[2] !== region) || (newBox.checked && !row[4])) { return; }
      if (words.length) {
        const text = `${row[5]} ${message(row)} ${data.checks[row[0]].title} ${data.checks[row[0]].id} ${data.accounts[row[1]]}`.toLowerCase();
        if (!words.every((word) => text.includes(word))) { return; }
      }
      picked.push(index);
    });
    space.style.height = `${picked.length * HEIGHT}px`;
    view.scrollTop = 0;
    shown.textContent = `${picked.length.toLocaleString("en")} of ${data.rows.length.toLocaleString("en")} shown`;
    draw();
  };
  const open = (index) => {
    const row = data.rows[index];
    const check = data.checks[row[0]];
    const list = element("dl");
    const parts = [["Check", `${check.title} (${check.id})`], ["Controls", check.controls], ["Resource", row[5]], ["Account", data.accounts[row[1]]],
      ["Region", data.regions[row[2]]], ["Said", message(row)], ["Evidence", row[7]], ["To know", row[8]], ["Fix", check.fix], ["Accepted", row[9]]];
    for (const [name, text] of parts) {
      if (text) { list.append(element("dt", name), element("dd", text)); }
    }
    selected = index;
    drawer.replaceChildren(list);
    drawer.hidden = false;
    draw();
  };
  const save = () => {
    // A cell that begins so would run as a formula in a spreadsheet.
    const cell = (text) => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
    const lines = picked.map((index) => {
      const row = data.rows[index];
      const check = data.checks[row[0]];
      return [check.severity, VERDICTS[row[3]], check.id, data.accounts[row[1]], data.regions[row[2]], row[5], message(row)].map(cell).join(",");
    });
    const text = ["severity,verdict,check,account,region,resource,message", ...lines].join("\r\n");
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = "findings.csv";
    link.click();
    URL.revokeObjectURL(link.href);
  };
  unpack().then((found) => {
    data = found;
    fill(checkBox, data.checks.map((check) => check.title), "every check");
    fill(accountBox, data.accounts, "every account");
    fill(regionBox, data.regions, "every region");
    accountBox.hidden = data.accounts.length < 2;
    regionBox.hidden = data.regions.length < 2;
    filter();
    document.body.dataset.ready = "yes";
  }).catch(() => { shown.textContent = "this browser cannot unpack the list; every check above names its first resources, the CSV and JSON formats all"; });
  let waiting = 0;
  search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
  for (const box of [checkBox, verdictBox, accountBox, regionBox, newBox]) { box.addEventListener("change", filter); }
  view.addEventListener("scroll", () => requestAnimationFrame(draw));
  window.addEventListener("resize", () => { if (data) { draw(); } });
  space.addEventListener("click", (event) => {
    const line = event.target.closest("[data-row]");
    if (line) { open(Number(line.dataset.row)); }
  });
  document.getElementById("save").addEventListener("click", () => { if (data) { save(); } });
  document.querySelectorAll("button[data-check]").forEach((button) => button.addEventListener("click", () => {
    checkBox.value = button.dataset.check;
    verdictBox.value = "";
    search.value = "";
    filter();
    document.getElementById("explorer").scrollIntoView({ behavior: "smooth" });
  }));
  window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
})();
