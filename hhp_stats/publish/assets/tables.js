// What readers do with tables: take them away as CSV, and put their lines into another order.
(function () {
  "use strict";
  const { words, all, one, make } = window.dom;
  const shown = (cell) => {
    const copy = cell.cloneNode(true);
    all(".term-note, .gt_footnote_marks, .sort-mark", copy).forEach((extra) => extra.remove());
    return copy.textContent.replace(/\s+/g, " ").trim();
  };
  const isGroup = (row) => row.classList.contains("gt_group_heading_row");

  // --- CSV
  // Headings of several rows become one: `Arm: Control`. Spans are written out.
  const headings = (table) => {
    const names = [];
    const rows = table.tHead ? Array.from(table.tHead.rows) : [];
    const taken = rows.map(() => []);
    rows.forEach((row, at) => {
      let column = 0;
      Array.from(row.cells).forEach((cell) => {
        while (taken[at][column]) column += 1;
        const text = shown(cell);
        for (let right = 0; right < cell.colSpan; right += 1) {
          for (let down = 0; down < cell.rowSpan && at + down < rows.length; down += 1) taken[at + down][column + right] = true;
          if (text) (names[column + right] = names[column + right] || []).push(text);
        }
        column += cell.colSpan;
      });
    });
    return Array.from(names, (parts) => (parts || []).join(": "));
  };
  // A spreadsheet reads a hyphen-minus as a sign, not the typographic one; in words that one stays.
  const figure = "[+-]?(?:\\d[\\d,]*(?:\\.\\d*)?|\\.\\d+)(?:[eE][+-]?\\d+)?%?";
  const plain = new RegExp(`^(?:${figure}(?: to ${figure})?(?: [(\\[]${figure}(?: to |, )${figure}[)\\]])?|[-+]?(?:inf|\u221e)|-+)$`);
  // What begins like a formula gets an apostrophe, so that no spreadsheet runs it: as hhp_stats/files/spreadsheet.py has it.
  const begins = /^[ \u00a0]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
  const marked = /^'+[ \u00a0]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
  const guarded = (text) => ((begins.test(text) && !plain.test(text)) || marked.test(text) ? "'" + text : text);
  const value = (text) => {
    const signed = text.replace(/\u2212(?=[\d.\u221e])/g, "-");
    return plain.test(signed) ? signed : text;
  };
  const field = (text) => (/[",\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text);
  const single = new RegExp(`^${figure}$`);
  // Programs that are no spreadsheets read 1,218 and 12.5% as words.
  const bare = (text) => (single.test(text) ? text.replace(/,(?=\d{3})/g, "") : text);
  const empty = (text) => !text || /^(?:\u2014|\[c\])$/.test(text);
  // A column of intervals, of estimates with their intervals, or of numbers with another in brackets becomes two or
  // three; what fills a whole column with per cent says so in the heading.
  const SHAPES = [
    [new RegExp(`^(${figure}) to (${figure})$`), ["low", "high"]],
    [new RegExp(`^(${figure}) [(\\[](${figure})(?: to |, )(${figure})[)\\]]$`), ["", "low", "high"]],
    [new RegExp(`^(${figure}) \\((${figure})\\)$`), ["", "brackets"]],
  ];
  const split = (heading, cells) => {
    const filled = cells.filter((text) => !empty(text));
    const shape = SHAPES.find((form) => filled.some((text) => form[0].test(text)) &&
      filled.every((text) => form[0].test(text) || (form[1][0] === "" && single.test(text))));
    const parts = shape
      ? shape[1].map((name, at) => [heading + (name ? ": " + words[name] : ""),
        cells.map((text) => { const found = text.match(shape[0]); return found ? found[at + 1] : at ? "" : text; })])
      : [[heading, cells]];
    return parts.map(([name, values]) => {
      const known = values.filter((text) => !empty(text));
      const shares = known.length > 0 && known.every((text) => single.test(text) && text.endsWith("%"));
      return [shares && !name.endsWith("%") ? name + " (%)" : name, values.map((text) => (shares ? bare(text).replace(/%$/, "") : bare(text)))];
    });
  };
  // The caption stands in the first line, headings in the second, notes after an empty line at the end.
  const csvOf = (table) => {
    const rows = [];
    const body = all("tbody > tr", table);
    const grouped = body.some(isGroup);
    let group = "";
    body.forEach((row) => {
      if (isGroup(row)) { group = shown(row.cells[0]); return; }
      rows.push((grouped ? [group] : []).concat(Array.from(row.cells, (cell) => value(shown(cell)))));
    });
    const names = (grouped ? ["group"] : []).concat(headings(table));
    const width = Math.max(names.length, ...rows.map((row) => row.length));
    const columns = Array.from({ length: width }, (none, at) => at)
      .flatMap((at) => split(names[at] || "", rows.map((row) => row[at] || "")));
    const figureOf = table.closest("figure");
    const caption = figureOf && one("figcaption", figureOf);
    const notes = all("tfoot tr", table).map((row) => shown(row)).filter(Boolean);
    const lines = caption ? [[shown(caption)]] : [];
    lines.push(columns.map((column) => column[0]), ...rows.map((row, at) => columns.map((column) => column[1][at])));
    if (notes.length) lines.push([""], [words.notes], ...notes.map((note) => [note]));
    return lines.map((line) => line.map((text) => field(guarded(text))).join(",")).join("\r\n") + "\r\n";
  };
  window.tableAsCsv = csvOf;
  all("figure.tbl[id]").forEach((figure) => {
    const table = one("table", figure);
    if (!table) return;
    const caption = one("figcaption .float-label", figure);
    const button = make("button", { type: "button", class: "tool csv" }, "CSV");
    button.setAttribute("aria-label", "CSV: " + words.csv + (caption ? ", " + caption.textContent.trim() : ""));
    button.addEventListener("click", () => {
      // The mark at the front makes spreadsheets read the file as UTF-8.
      const address = URL.createObjectURL(new Blob(["\ufeff" + csvOf(table)], { type: "text/csv;charset=utf-8" }));
      const link = make("a", { href: address, download: figure.id + ".csv" });
      document.body.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    });
    let tools = one(".tools", figure);
    if (!tools) { tools = make("div", { class: "tools" }); figure.append(tools); }
    tools.append(button);
  });

  // --- sorting: tables of some length, without groups or lines that belong to the line above, one heading a column
  // The heading of a column is the lowest cell over it; a cell over several columns is none.
  const lowest = (head) => {
    const found = [];
    const taken = Array.from(head.rows, () => []);
    Array.from(head.rows).forEach((row, at) => {
      let column = 0;
      Array.from(row.cells).forEach((cell) => {
        while (taken[at][column]) column += 1;
        for (let right = 0; right < cell.colSpan; right += 1) {
          for (let down = 0; down < cell.rowSpan && at + down < head.rows.length; down += 1) taken[at + down][column + right] = true;
          found[column + right] = cell.colSpan === 1 ? cell : null;
        }
        column += cell.colSpan;
      });
    });
    return found.includes(null) ? [] : found;
  };
  const number = (text) => {
    const found = value(text).replace(/,(?=\d{3})/g, "").match(/^[<>]?\s*(-?\d*\.?\d+|-?\u221e)/);
    if (!found) return null;
    return found[1].includes("\u221e") ? (found[1][0] === "-" ? -Infinity : Infinity) : parseFloat(found[1]);
  };
  all("figure.tbl table").forEach((table) => {
    if (!table.tHead || table.tBodies.length !== 1) return;
    const body = table.tBodies[0];
    const original = Array.from(body.rows);
    const columns = lowest(table.tHead);
    const belongs = (row) => /^[\n ]*\u2003/.test(row.cells[0].textContent); // indented below another line
    if (!columns.length || original.length < 4 || original.some((row) => isGroup(row) || belongs(row) || row.cells.length !== columns.length || Array.from(row.cells).some((cell) => cell.colSpan > 1 || cell.rowSpan > 1))) return;
    table.classList.add("sortable");
    const status = make("span", { role: "status", class: "unseen" });
    (table.closest("figure") || table.parentNode).append(status);
    columns.forEach((head, at) => {
      const name = shown(head);
      const texts = original.map((row) => shown(row.cells[at]));
      const numbers = texts.map(number);
      const filled = texts.filter((text) => text && text !== "\u2014");
      const numeric = filled.length > 0 && texts.every((text, row) => !text || text === "\u2014" || numbers[row] !== null);
      if (!name || new Set(texts).size < 2 || one("math", head)) return;
      const button = make("button", { type: "button", class: "sort" });
      button.append(...head.childNodes, make("span", { class: "sort-mark", "aria-hidden": "true" }));
      head.append(button);
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        const next = now === "ascending" ? "descending" : now === "descending" ? null : "ascending";
        columns.forEach((other) => other.removeAttribute("aria-sort"));
        let order = original.map((row, place) => place);
        if (next) {
          head.setAttribute("aria-sort", next);
          const sign = next === "ascending" ? 1 : -1;
          const empty = (place) => (numeric ? numbers[place] === null : !texts[place]);
          order.sort((a, b) => {
            if (empty(a) || empty(b)) return Number(empty(a)) - Number(empty(b)) || a - b;
            const gap = numeric ? numbers[a] - numbers[b] : texts[a].localeCompare(texts[b], document.documentElement.lang);
            return sign * gap || a - b;
          });
        }
        body.append(...order.map((place) => original[place]));
        status.textContent = words.sort + " " + name + ": " + (next ? words[next] : words.unsorted);
      });
    });
  });
})();
