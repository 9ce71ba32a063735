-- The numbered book as Typst: every node that needs a number, an alternative text or a tag of its own
-- becomes a call of a function in report.typ.

local stringify = pandoc.utils.stringify
local column_widths = dofile(pandoc.path.join({ pandoc.path.directory(PANDOC_SCRIPT_FILE), "columns.lua" }))
local words = {}

local function quote(text)
  return '"' .. text:gsub("\\", "\\\\"):gsub('"', '\\"'):gsub("\n", " ") .. '"'
end

local function has(el, class) return el.classes and el.classes:includes(class) end

local function raw(text) return pandoc.RawBlock("typst", text) end

local function write(blocks) return pandoc.write(pandoc.Pandoc(blocks), "typst-citations", PANDOC_WRITER_OPTIONS) end

-- The index at the end lists the pages that print a result.
local function printed(el)
  local id = el.attributes["data-result"] or el.attributes.result
  return id and "#printed(" .. quote(id) .. ")" or ""
end

local LONG_WORD = 20

-- Plain words need no writer: most cells of most tables are, and a call for each would take seconds.
local function plain_words(inlines)
  local parts = {}
  for _, el in ipairs(inlines) do
    if el.t == "Str" then
      local text = el.text:gsub("[\\#$*_`<>@~=%-+/%[%]\"'{}().:;^|]", "\\%0")
      -- An identifier that is longer than most columns may end its line after an underscore, as columns.lua reckons.
      if #el.text > LONG_WORD then text = text:gsub("\\_", "\\_\u{200b}") end
      table.insert(parts, text)
    elseif el.t == "Space" or el.t == "SoftBreak" then
      table.insert(parts, " ")
    elseif el.t == "Span" and has(el, "result") then
      local inner = plain_words(el.content)
      if not inner then return nil end
      table.insert(parts, inner .. printed(el))
    else
      return nil
    end
  end
  return table.concat(parts)
end

local function write_inlines(inlines)
  return plain_words(inlines) or (write({ pandoc.Plain(inlines) }):gsub("%s+$", ""))
end

local function label(id) return id ~= "" and " #label(" .. quote(id) .. ")" or "" end

local function attached(id) return id ~= "" and "#label(" .. quote(id) .. ")" or "" end

---------------------------------------------------------------- tables

local alignments = { AlignLeft = "left", AlignRight = "right", AlignCenter = "center" }

local function cell_alignment(cell)
  for _, class in ipairs(cell.attr.classes) do
    local side = class:match("^gt_(%a+)$")
    if side == "left" or side == "right" or side == "center" then return side end
  end
  return alignments[cell.alignment]
end

-- great_tables marks notes by style alone, and bold or coloured cells by inline styles.
local function styled(cell, content)
  local style = cell.attr.attributes.style or ""
  local before, after = "", ""
  if style:match("font%-weight:%s*bold") or style:match("font%-weight:%s*[6-9]00") then before, after = before .. "#strong[", "]" .. after end
  if style:match("font%-style:%s*italic") then before, after = before .. "#emph[", "]" .. after end
  local colour = style:match("^color:%s*(#%x+)") or style:match(";%s*color:%s*(#%x+)")
  if colour then before, after = before .. "#text(fill: rgb(" .. quote(colour) .. "))[", "]" .. after end
  return before .. content .. after, style:match("background%-color:%s*(#%x+)")
end

local function cell_text(cell)
  local only = #cell.contents == 1 and cell.contents[1].t == "Plain" and plain_words(cell.contents[1].content)
  if only then return only end
  local contents = pandoc.Blocks(cell.contents):walk({
    Span = function(el)
      if has(el, "gt_footnote_marks") then return pandoc.Superscript(el.content) end
      if has(el, "result") then el.content:insert(pandoc.RawInline("typst", printed(el))) end
      return el.content
    end,
    Div = function(el) return el.content end,
  })
  if #contents == 0 then return "" end
  return (write(contents):gsub("%s+$", ""))
end

local function typst_cell(cell, options)
  local content, fill = styled(cell, cell_text(cell))
  local arguments = {}
  local span = options.colspan or cell.col_span
  if span > 1 then table.insert(arguments, "colspan: " .. span) end
  if cell.row_span > 1 then table.insert(arguments, "rowspan: " .. cell.row_span) end
  local align = options.align or cell_alignment(cell)
  if align then table.insert(arguments, "align: " .. align .. (options.valign and " + " .. options.valign or "")) end
  if fill then table.insert(arguments, "fill: rgb(" .. quote(fill) .. ")") end
  if options.extra then table.insert(arguments, options.extra) end
  if options.wrap then content = "#" .. options.wrap .. "[" .. content .. "]" end
  return "table.cell(" .. table.concat(arguments, ", ") .. ")[" .. content .. "]"
end

local function is_group(row, columns)
  return row.attr.classes:includes("gt_group_heading_row") or (#row.cells == 1 and row.cells[1].col_span == columns and columns > 1)
end

local function typst_table(tbl)
  local columns = #tbl.colspecs
  local rows = pandoc.List()
  for _, body in ipairs(tbl.bodies) do
    rows:extend(body.head)
    rows:extend(body.body)
  end
  local out = {}
  local function add(text) table.insert(out, "  " .. text .. ",") end

  local aligns = {}
  for at, spec in ipairs(tbl.colspecs) do aligns[at] = alignments[spec[1]] or "left" end
  for _, row in ipairs(rows) do
    if #row.cells == columns and not is_group(row, columns) then
      for at, cell in ipairs(row.cells) do aligns[at] = cell_alignment(cell) or aligns[at] end
      break
    end
  end

  local header = {}
  for at, row in ipairs(tbl.head.rows) do
    for _, cell in ipairs(row.cells) do
      local spanner = cell.col_span > 1
      -- A heading without an alignment of its own stands as its column does.
      table.insert(header, "    " .. typst_cell(cell, { valign = "bottom", align = spanner and "center" or cell_alignment(cell),
        wrap = spanner and "spanner" or "head-cell" }) .. ",")
    end
  end
  add("table.hline(stroke: rule-heavy)")
  if #header > 0 then
    table.insert(out, "  table.header(\n" .. table.concat(header, "\n") .. "\n  ),")
    add("table.hline(stroke: rule-light)")
  end
  local widths, size, whole, tall = column_widths(tbl, rows)
  local wrapped = table.concat(widths):match("fr") ~= nil -- rows of several lines need a rule between them
  local first = true
  for _, row in ipairs(rows) do
    if wrapped and not first and not is_group(row, columns) then add("table.hline(stroke: rule-hair)") end
    if is_group(row, columns) then
      if not first then add("table.hline(stroke: rule-hair)") end
      add(typst_cell(row.cells[1], { colspan = columns, align = "left", wrap = "row-group" }))
    else
      for _, cell in ipairs(row.cells) do add(typst_cell(cell, {})) end
    end
    first = false
  end
  add("table.hline(stroke: rule-heavy)")
  -- Notes stand below the table: as cells over all columns they would stretch the columns.
  local notes = {}
  for _, row in ipairs(tbl.foot.rows) do
    for _, cell in ipairs(row.cells) do table.insert(notes, "[" .. styled(cell, cell_text(cell)) .. "]") end
  end
  return "#report-table(columns: (" .. table.concat(widths, ", ") .. ",), align: (" .. table.concat(aligns, ", ") .. ",), "
    .. "size: " .. size .. ", whole: " .. tostring(whole) .. ", tall: " .. tostring(tall) .. ", notes: (" .. table.concat(notes, ", ") .. (#notes > 0 and "," or "") .. "),\n"
    .. table.concat(out, "\n") .. "\n)"
end

local function html_table(text)
  local found = pandoc.read(text, "html").blocks:find_if(function(el) return el.t == "Table" end)
  if not found then error("HHP\t\t\ta table could not be read as HTML", 0) end
  return raw(typst_table(found))
end

---------------------------------------------------------------- nodes

local function header(el)
  local number = el.attributes.number
  local arguments = { "level: " .. el.level, "numbering: " .. (number and "(..) => " .. quote(number) or "none") }
  if el.level == 1 and number then
    table.insert(arguments, "supplement: [" .. words[number:match("^%a") and "appendix" or "chapter"] .. "]")
  elseif number then
    table.insert(arguments, "supplement: [" .. words.section .. "]")
  end
  return raw("#heading(" .. table.concat(arguments, ", ") .. ")[" .. write_inlines(el.content) .. "]" .. attached(el.identifier))
end

local function float(el)
  local kind, number = el.attributes.kind, el.attributes.number
  local body = write(el.content[1].content)
  -- A caption is printed again in the list of figures: only the numbers within the float count as printed.
  local caption = write_inlines(el.content[2].content[1].content):gsub('#printed%(".-"%)', "")
  local arguments = {
    "kind: " .. (kind == "fig" and "image" or "table"),
    "supplement: [" .. words[kind == "fig" and "figure" or "table"] .. "]",
    "numbering: " .. (number and "(..) => " .. quote(number) or "none"),
  }
  if not number then table.insert(arguments, "outlined: false") end
  if caption ~= "" then table.insert(arguments, "caption: [" .. caption .. "]") end
  return raw("#figure(" .. table.concat(arguments, ", ") .. ")[\n" .. body .. "\n]" .. attached(el.identifier))
end

local function div(el)
  if has(el, "float") then return float(el) end
  if has(el, "callout") then
    return raw("#callout(kind: " .. quote(el.attributes.kind) .. ", title: [" .. write_inlines(el.content[1].content[1].content) .. "])[\n"
      .. write(el.content[2].content) .. "\n]" .. attached(el.identifier))
  end
  if has(el, "tabset") then
    local out = pandoc.Blocks({})
    for _, tab in ipairs(el.content) do
      out:insert(raw("#tab-title[" .. write_inlines(tab.content[1].content[1].content) .. "]"))
      for at = 2, #tab.content do out:insert(tab.content[at]) end
    end
    return out
  end
  if has(el, "pagebreak") then return raw("#pagebreak(weak: true)") end
  if has(el, "landscape") then return raw("#landscape[\n" .. write(el.content) .. "\n]") end
  if has(el, "csl-entry") then
    return raw("#bib-entry[" .. (write(el.content):gsub("%s+$", "")) .. "]" .. attached(el.identifier))
  end
  if el.identifier == "refs" then return el.content end
  if has(el, "cell-output") or has(el, "code-fold") then return el.content end
  if el.attributes["layout-ncol"] then
    local cells = {}
    for _, block in ipairs(el.content) do table.insert(cells, "[\n" .. write({ block }) .. "\n]") end
    return raw("#columns-grid(" .. math.floor(tonumber(el.attributes["layout-ncol"]) or 2) .. ", " .. table.concat(cells, ", ") .. ")")
  end
  if el.identifier ~= "" then
    return raw("#block[\n" .. write(el.content) .. "\n]" .. attached(el.identifier))
  end
  if has(el, "book-chapter") then return el.content end
end

-- Converted TeX must come out as mathematics; else Pandoc has written escaped text.
local function math_body(el)
  local text = (write({ pandoc.Plain({ pandoc.Math(el.mathtype, el.text) }) }):gsub("%s+$", ""))
  if not text:match("^%$") then
    error("HHP\t" .. "" .. "\t" .. el.text:match("%S+") .. "\tthis TeX cannot be converted to Typst: " .. el.text, 0)
  end
  return text
end

local function equation(el, alt, number, id)
  return pandoc.RawInline("typst", "#equation(" .. quote(alt) .. (number and ", number: " .. quote(number) or "") .. ")[" .. math_body(el) .. "]" .. (id and attached(id) or ""))
end

local inline = {
  traverse = "topdown",
  Span = function(el)
    if has(el, "equation") then
      local maths = el.content:find_if(function(inner) return inner.t == "Math" end)
      return equation(maths, el.attributes.alt, el.attributes.number, el.identifier), false
    end
    if has(el, "result") then
      el.content:insert(pandoc.RawInline("typst", printed(el)))
      return el.content
    end
  end,
  Math = function(el) return equation(el, el.text) end,
  Image = function(el)
    local share = (el.attributes.width or ""):match("^%d+%%$")
    return pandoc.RawInline("typst", "#image(" .. quote(el.src) .. ", alt: " .. quote(stringify(el.caption))
      .. (share and ", width: " .. share or "") .. ")"), false
  end,
}

local links = {
  Link = function(el)
    local id = el.target:match("^#(.+)$")
    if id then
      return pandoc.RawInline("typst", "#link(label(" .. quote(id) .. "))[" .. write_inlines(el.content) .. "]")
    end
  end,
}

function Pandoc(doc)
  for key, value in pairs(doc.meta.words) do words[key] = stringify(value) end
  doc.blocks = doc.blocks:filter(function(block) return not has(block, "book-citations") end)
  doc = doc:walk(inline):walk(links)
  doc = doc:walk({
    Header = header,
    Div = div,
    Table = function(el) return raw(typst_table(el)) end,
    RawBlock = function(el) if el.format == "html" then return html_table(el.text) end end,
  })
  return doc
end
