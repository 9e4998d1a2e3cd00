"""A real editor, set up as docs/editor.md says, is told what is wrong while one writes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from b2bua.operator.policy_file import check_policy

ROOT = Path(__file__).parents[2]
SCRIPT = """
local said = {}
local function told() return vim.diagnostic.get(0) end
vim.wait(20000, function() return #told() == 2 end, 10)
said.wrong = told()
local function ask(method, line, column, more)
  local question = { textDocument = vim.lsp.util.make_text_document_params(0) }
  question.position = { line = line - 1, character = column - 1 }
  for _, answer in pairs(vim.lsp.buf_request_sync(0, method, vim.tbl_extend("force", question, more), 20000)) do
    return answer.result
  end
end
said.hover = ask("textDocument/hover", vim.fn.search("over toll"), vim.fn.col(".") + 5, {})
vim.fn.search("sub ring")
vim.api.nvim_win_set_cursor(0, { vim.fn.line("."), 4 })
vim.lsp.buf.rename("reach")
vim.wait(20000, function() return vim.fn.search("do reach", "n") > 0 end, 10)
said.renamed = { vim.fn.search("sub reach", "n") > 0, vim.fn.search("do ring", "n") }
vim.cmd("%s/dial dsk for 30$/dial desk for 30s/")
said.right = vim.wait(20000, function() return #told() == 0 end, 10)
vim.fn.writefile({ vim.fn.json_encode(said) }, "said.json")
vim.cmd("qall!")
"""


def test_neovim_tells_what_check_tells_and_takes_its_answers(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "office", tmp_path, dirs_exist_ok=True)
    office = tmp_path / "office.route"
    text = office.read_text(encoding="utf-8")
    office.write_text(text.replace("dial desk for 30s", "dial dsk for 30"), encoding="utf-8")
    [setup] = re.findall(r"^```lua\n(.*?)^```", (ROOT / "docs" / "editor.md").read_text(encoding="utf-8"), re.M | re.S)
    (tmp_path / "init.lua").write_text(setup, encoding="utf-8")
    (tmp_path / "play.lua").write_text(SCRIPT, encoding="utf-8")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    command = ["nvim", "--headless", "-n", "-i", "NONE", "-u", "init.lua", "office.route", "-c", "luafile play.lua"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=90)
    assert (tmp_path / "said.json").exists(), done.stdout + done.stderr
    said = json.loads((tmp_path / "said.json").read_text(encoding="utf-8"))
    assert [(item["lnum"] + 1, item["col"] + 1, item["message"]) for item in said["wrong"]] == [
        (problem.line, problem.column, "\n".join(filter(None, (problem.message, problem.advice))))
        for problem in check_policy(office).told
    ]
    assert said["hover"]["contents"]["value"].startswith("a limit")
    assert said["renamed"] == [True, 0]
    assert said["right"] is True
