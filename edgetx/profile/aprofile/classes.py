"""Instructions of A64 that some core times alike: the rows of `targets/a-profile/*.toml`."""

import re

_ACCUMULATING = re.compile(
    r"[su]dot|f?ml[as]|[su]ml[as]l2?|[su]adalp|[su]r?sra|[su]aba(l2?)?|sqdml[as]l2?|sqrdml[as]h|bsl|bit|bif"
)
_VECTOR = (
    (r"[su]dot", "dot"),
    (r"[su]ml[as]l2?|sqdml[as]l2?", "multiply_add_long"),
    (r"[su]mull2?|sqdmull2?|pmull2?", "multiply_long"),
    (r"ml[as]", "multiply_add_vector"),
    (r"mul|pmul", "multiply_vector"),
    (r"sqr?dmulh|sqrdml[as]h", "multiply_high_vector"),
    (r"[su]adalp|[su]abal2?|[su]aba", "add_pairs_accumulate"),
    (r"[su]addlp|addp", "add_pairs"),
    (r"[su]addl2?|[su]addw2?|[su]subl2?|[su]subw2?|[su]abdl2?", "add_long"),
    (r"sshll2?|ushll2?|[su]xtl2?|shll2?", "extend"),
    (r"xtn2?|[su]qxtun2?|[su]qxtn2?|shrn2?|rshrn2?|[su]qr?shru?n2?|addhn2?|raddhn2?", "narrow"),
    (r"[su]rshl|[su]qr?shlu?", "shift_rounding"),
    (r"[su]rshr|[su]r?sra", "shift_right_rounding"),
    (r"[su]shl|shl|[su]shr|sli|sri", "shift"),
    (r"addv|[su]addlv|[su]maxv|[su]minv", "add_across"),
    (r"dup", "duplicate"),
    (r"ext|zip[12]|uzp[12]|trn[12]|rev\d+", "permute"),
    (r"tbl|tbx", "table"),
    (r"umov|smov", "to_core"),
    (r"[su]max|[su]min|[su]maxp|[su]minp", "minimum"),
    (r"and|orr|orn|eor|bic|bsl|bit|bif|mvn|not|movi|mvni", "logic_vector"),
    (r"fn?mul|fmulx", "fp_multiply"),
    (r"fn?ml[as]|fn?madd|fn?msub", "fp_multiply_add"),
    (r"fdiv", "fp_divide"),
    (r"fsqrt", "fp_root"),
    (r"[su]cvtf|fcvt\w*|frint\w", "fp_convert"),
    (r"f\w+", "fp_add"),
    (r"\w+", "add_vector"),
)
_CORE = (
    (r"madd|msub|[su]maddl|[su]msubl", "multiply_add"),
    (r"smulh|umulh", "multiply_high"),
    (r"mul|mneg|[su]mull|[su]mnegl", "multiply"),
    (r"b\..*|bl?|blr|br|ret|cbn?z|tbn?z", "branch"),
    (r"\w+", "alu"),
)


def accumulates(mnemonic: str) -> bool:
    """Whether the destination of an operation on vectors is also a source."""
    return bool(_ACCUMULATING.fullmatch(mnemonic))


def classify(mnemonic: str, operands: str, is_vector: bool, is_q: bool, is_shifted: bool) -> str:
    """The row of an instruction in the tables of a core."""
    if mnemonic.startswith(("ld", "st", "prfm")):
        return _memory_class(mnemonic, operands, is_vector, is_q)
    if is_vector:
        return _vector_class(mnemonic, operands)
    if mnemonic in ("sdiv", "udiv"):
        return "divide_64" if operands.startswith("x") else "divide_32"
    found = next(kind for pattern, kind in _CORE if re.fullmatch(pattern, mnemonic))
    if found == "multiply" and mnemonic in ("mul", "mneg") and operands.startswith("x"):
        return "multiply_64"
    return "alu_shifted" if found == "alu" and is_shifted else found


def _memory_class(mnemonic: str, operands: str, is_vector: bool, is_q: bool) -> str:
    way = "load" if mnemonic.startswith(("ld", "prfm")) else "store"
    is_pair = mnemonic in ("ldp", "stp", "ldnp", "stnp", "ldpsw")
    if not is_vector:
        return f"{way}_pair" if is_pair else way
    if mnemonic in ("ld1", "st1"):
        if "[" in operands.split("}")[1].split(",")[0]:
            return f"{way}_lane"
        count = operands.split("}")[0].count(",") + 1
        return f"{way}_{'q' if is_q else 'd'}" if count == 1 else f"{way}_{count}_registers"
    if re.fullmatch(r"(ld|st)[234]", mnemonic):
        return f"{way}_structure_{mnemonic[2]}"
    if re.fullmatch(r"ld[1234]r", mnemonic):
        return "load_replicate"
    if is_pair:
        return f"{way}_pair_q" if is_q else f"{way}_pair"
    return f"{way}_q" if is_q else f"{way}_d"


def _vector_class(mnemonic: str, operands: str) -> str:
    if mnemonic in ("mov", "ins", "fmov"):
        destination = operands.split(",")[0]
        if destination[0] in "wx":
            return "to_core"
        if re.search(r", [wx](\d|zr)", operands):
            return "from_core"
        return "permute" if "[" in operands else "logic_vector"
    if mnemonic == "dup" and re.search(r", [wx](\d|zr)", operands):
        return "from_core"
    return next(kind for pattern, kind in _VECTOR if re.fullmatch(pattern, mnemonic))
