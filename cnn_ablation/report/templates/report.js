"use strict";
// The page works without this: it adds sorting, quicker tips on points, and a mark on the part in view.
(() => {
  const number = (text) => {
    const found = text.replace(/[,\u2009]/g, "").replace("\u2212", "-").match(/-?\d+(\.\d+)?/);
    return found ? parseFloat(found[0]) : null;
  };
  const words = (cell) => (cell ? cell.firstChild : null);
  const text = (cell) => (words(cell) ? cell.textContent.trim() : "");
  const compare = (a, b) => {
    const [x, y] = [number(a), number(b)];
    if (x === null && y === null) return a.localeCompare(b);
    if (x === null || y === null) return x === null ? 1 : -1;
    return x - y;
  };

  const sort = (table, column, button) => {
    const heading = button.closest("th");
    const down = heading.getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const named = column === 0 || heading.hasAttribute("data-words");
    rows.sort((a, b) => {
      const [x, y] = [text(a.cells[column]), text(b.cells[column])];
      return (named ? x.localeCompare(y, undefined, { numeric: true }) : compare(x, y)) * (down ? -1 : 1);
    });
    body.append(...rows);
    table.querySelectorAll("th[aria-sort]").forEach((th) => th.setAttribute("aria-sort", "none"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  };
  document.querySelectorAll("table.sortable").forEach((table) => {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      heading.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => sort(table, column, button));
    });
  });

  const bubble = document.createElement("div");
  bubble.id = "tip";
  bubble.hidden = true;
  bubble.setAttribute("role", "status");
  document.body.append(bubble);
  const hide = () => {
    bubble.hidden = true;
    document.querySelectorAll(".pointed").forEach((one) => one.classList.remove("pointed"));
  };
  const show = (point) => {
    hide();
    point.classList.add("pointed");
    bubble.textContent = point.dataset.tip;
    bubble.hidden = false;
    const at = point.getBoundingClientRect();
    const wide = bubble.offsetWidth, high = bubble.offsetHeight, edge = document.documentElement.clientWidth;
    const left = Math.min(Math.max(4, at.left + at.width / 2 - wide / 2), edge - wide - 4);
    bubble.style.left = `${left + scrollX}px`;
    bubble.style.top = `${(at.top > high + 12 ? at.top - high - 6 : at.bottom + 6) + scrollY}px`;
  };
  document.querySelectorAll("svg.plot").forEach((plot) => {
    const points = [...plot.querySelectorAll("use > title")].map((title) => {
      const point = title.parentNode;
      point.dataset.tip = title.textContent;
      title.remove();
      point.addEventListener("pointerenter", () => show(point));
      point.addEventListener("pointerleave", hide);
      return point;
    });
    if (!points.length) return;
    let at = -1;
    plot.setAttribute("tabindex", "0");
    plot.setAttribute("aria-description", "Arrow keys go from point to point.");
    plot.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") hide();
      if (!step) return;
      event.preventDefault();
      at = (at + step + points.length) % points.length;
      show(points[at]);
    });
    plot.addEventListener("blur", hide);
  });

  const links = new Map([...document.querySelectorAll("nav a")].map((a) => [a.hash.slice(1), a]));
  const mark = (name) => links.forEach((a, own) =>
    own === name ? a.setAttribute("aria-current", "true") : a.removeAttribute("aria-current"));
  const watch = new IntersectionObserver(
    (entries) => entries.filter((one) => one.isIntersecting).forEach((one) => mark(one.target.id)),
    { rootMargin: "-15% 0px -75% 0px" });
  links.forEach((_, name) => {
    const part = document.getElementById(name);
    if (part) watch.observe(part);
  });

  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let one = target; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
