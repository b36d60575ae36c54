"use strict";
(() => {
  const articles = [...document.querySelectorAll("article[data-severity]")];
  const search = document.getElementById("search");
  const boxes = [...document.querySelectorAll("input[data-show]")];
  const shown = document.getElementById("shown");
  const texts = new Map(articles.map((a) => [a, a.textContent.toLowerCase()]));
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Set(boxes.filter((b) => b.checked).map((b) => b.dataset.show));
    let count = 0;
    for (const article of articles) {
      const visible = wanted.has(article.dataset.severity) && words.every((w) => texts.get(article).includes(w));
      article.hidden = !visible;
      count += visible;
    }
    shown.textContent = `${count} of ${articles.length} shown`;
  };
  const reveal = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target && target.hidden) {
      search.value = "";
      boxes.forEach((b) => { b.checked = true; });
      filter();
      target.scrollIntoView();
    }
  };
  if (search) {
    search.addEventListener("input", filter);
    boxes.forEach((b) => b.addEventListener("change", filter));
    window.addEventListener("hashchange", reveal);
    filter();
    reveal();
  }
  window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
})();
