// A table of any number of rows of one height, of which only those in sight are in the document.
// It stays a real table: headings, cells, row numbers for a screen reader, arrows for the keys.

const ABOVE = 6;

/** The table in #box. `columns` say how a cell is drawn and by what it sorts. */
export class Grid {
  #box;
  #heads;
  #body;
  #columns;
  #rows = [];
  #drawn = new Map();
  #active = "";
  #height = 0;
  #top = document.createElement("tr");
  #bottom = document.createElement("tr");
  #frame = 0;

  constructor({ box, columns, onOpen, onSort }) {
    this.#box = box;
    this.#heads = box.querySelector("thead tr");
    this.#body = box.querySelector("tbody");
    this.onOpen = onOpen;
    this.onSort = onSort;
    for (const spacer of [this.#top, this.#bottom]) {
      spacer.setAttribute("aria-hidden", "true");
      spacer.className = "spacer";
      spacer.append(document.createElement("td"));
    }
    this.setColumns(columns, null);
    box.addEventListener("scroll", () => this.#soon(), { passive: true });
    new ResizeObserver(() => this.#soon()).observe(box);
    this.#body.addEventListener("click", (event) => {
      const row = event.target.closest("tr[data-id]");
      if (row && !event.target.closest("a")) this.onOpen(row.dataset.id);
    });
    this.#body.addEventListener("focusin", (event) => {
      const row = event.target.closest("tr[data-id]");
      if (row) this.#activate(row.dataset.id);
    });
    box.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Other columns, or another order of sorting: {key, down}. */
  setColumns(columns, sort) {
    this.#columns = columns;
    this.#heads.replaceChildren(...columns.map((column) => this.#head(column, sort)));
    for (const drawn of this.#drawn.values()) drawn.row.remove();
    this.#drawn.clear();
    this.#soon();
  }

  /** The rows in the order shown; each has an id. */
  setRows(rows) {
    this.#rows = rows;
    this.#box.querySelector("table").setAttribute("aria-rowcount", String(rows.length + 1));
    this.#soon();
  }

  /** Draw again what is in sight: ages go on. */
  refresh() {
    this.#soon();
  }

  /** Put the focus back to the row that was opened. */
  focusActive() {
    this.#focus(this.#rows.findIndex((row) => row.id === this.#active));
  }

  #head(column, sort) {
    const head = document.createElement("th");
    head.scope = "col";
    head.className = `${column.kind ?? ""} ${column.key}`;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = column.label;
    const is = sort?.key === column.key;
    if (is) head.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
    button.addEventListener("click", () => this.onSort(column.key));
    head.append(button);
    return head;
  }

  #soon() {
    if (!this.#frame) {
      this.#frame = requestAnimationFrame(() => {
        this.#frame = 0;
        this.#draw();
      });
    }
  }

  #measure() {
    const height = getComputedStyle(this.#box).getPropertyValue("--row");
    this.#height = Number.parseFloat(height) || 56;
  }

  #draw() {
    this.#measure();
    const inSight = Math.ceil(this.#box.clientHeight / this.#height) + 2 * ABOVE;
    const last = Math.max(0, this.#rows.length - inSight);
    const first = Math.min(last, Math.max(0, Math.floor(this.#box.scrollTop / this.#height) - ABOVE));
    const end = Math.min(this.#rows.length, first + inSight);
    const seen = new Set();
    let before = this.#top;
    if (!this.#top.parentNode) this.#body.append(this.#top, this.#bottom);
    this.#top.firstChild.style.height = `${first * this.#height}px`;
    this.#bottom.firstChild.style.height = `${(this.#rows.length - end) * this.#height}px`;
    for (const spacer of [this.#top, this.#bottom]) spacer.firstChild.colSpan = this.#columns.length;
    for (let at = first; at < end; at += 1) {
      const data = this.#rows[at];
      seen.add(data.id);
      const drawn = this.#drawn.get(data.id) ?? this.#make(data.id);
      this.#fill(drawn, data, at);
      if (before.nextSibling !== drawn.row) before.after(drawn.row);
      before = drawn.row;
    }
    for (const [id, drawn] of this.#drawn) {
      if (!seen.has(id)) {
        drawn.row.remove();
        this.#drawn.delete(id);
      }
    }
    if (!this.#drawn.has(this.#active)) {
      const open = this.#rows[first];
      this.#mark(open ? open.id : "");
    }
  }

  #make(id) {
    const row = document.createElement("tr");
    row.dataset.id = id;
    const cells = this.#columns.map((column, number) => {
      const cell = document.createElement(number ? "td" : "th");
      if (!number) cell.scope = "row";
      cell.className = `${column.kind ?? ""} ${column.key}`;
      row.append(cell);
      return { cell, was: undefined };
    });
    const drawn = { row, cells };
    this.#drawn.set(id, drawn);
    return drawn;
  }

  #fill(drawn, data, at) {
    drawn.row.setAttribute("aria-rowindex", String(at + 2));
    drawn.row.classList.toggle("odd", at % 2 === 1);
    this.#columns.forEach((column, number) => {
      const slot = drawn.cells[number];
      const is = column.shows(data);
      const mark = is.join("\u0000");
      if (slot.was === mark) return;
      const isNews = slot.was !== undefined && column.flashes?.(slot.parts, is);
      slot.was = mark;
      slot.parts = is;
      column.draws(slot.cell, is, data);
      if (isNews) this.#flash(slot.cell);
    });
    if (data.id === this.#active) this.#tabStop(drawn, 0);
    else this.#tabStop(drawn, -1);
  }

  #flash(cell) {
    cell.classList.remove("news");
    requestAnimationFrame(() => cell.classList.add("news"));
  }

  #tabStop(drawn, index) {
    const button = drawn.row.querySelector("button");
    if (button) button.tabIndex = index;
    drawn.row.classList.toggle("active", index === 0);
  }

  #mark(id) {
    const old = this.#drawn.get(this.#active);
    if (old) this.#tabStop(old, -1);
    this.#active = id;
    const drawn = this.#drawn.get(id);
    if (drawn) this.#tabStop(drawn, 0);
  }

  #activate(id) {
    if (id !== this.#active) this.#mark(id);
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target.closest("thead")) return;
    const page = Math.max(1, Math.floor(this.#box.clientHeight / this.#height) - 2);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    const at = this.#rows.findIndex((row) => row.id === this.#active);
    let to;
    if (event.key in moves) to = event.target === this.#box && at <= 0 ? 0 : at + moves[event.key];
    else if (event.key === "Home") to = 0;
    else if (event.key === "End") to = this.#rows.length - 1;
    else return;
    event.preventDefault();
    this.#focus(Math.min(this.#rows.length - 1, Math.max(0, to)));
  }

  #focus(at) {
    const row = this.#rows[at];
    if (!row) return;
    const headHeight = this.#heads.offsetHeight;
    const top = at * this.#height;
    const room = this.#box.clientHeight - headHeight - this.#height;
    if (top < this.#box.scrollTop) this.#box.scrollTop = top;
    else if (top > this.#box.scrollTop + room) this.#box.scrollTop = top - room;
    this.#mark(row.id);
    this.#draw();
    this.#mark(row.id);
    this.#drawn.get(row.id)?.row.querySelector("button")?.focus({ preventScroll: true });
  }
}
