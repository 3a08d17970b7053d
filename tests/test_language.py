"""The language, in the words of its reference: what a spec means, as equalities between specs."""

from __future__ import annotations

import pytest
from speccing import findings, load, output, paths

import resspec
from resspec import SpecError
from resspec.flatten import to_yaml
from resspec.language import replay


def digest(text: str, **options: object) -> str:
    return load(text, **options).digest


def same(one: str, two: str) -> bool:
    return digest(one) == digest(two)


# -- steps and names ------------------------------------------------------------------------------


def test_a_scalar_argument_fills_the_primary_parameter() -> None:
    assert same("graph: [{conv: 4}, {max_pool: 2}]", "graph: [{conv: {filters: 4}}, {max_pool: {pool_size: 2}}]")


def test_a_nested_list_stands_for_its_items() -> None:
    assert same("graph: [[relu, [{conv: 4}]], relu]", "graph: [relu, {conv: 4}, relu]")


def test_renaming_changes_no_meaning_but_the_paths() -> None:
    one, two = load("graph: [{conv: 4, as: a}, {add: [a, a]}]"), load("graph: [{conv: 4, as: b}, {add: [b, b]}]")
    assert one.digest == two.digest
    assert one.paths_digest != two.paths_digest


def test_an_inserted_step_renames_no_named_one() -> None:
    before = paths("graph: [{conv: 4, as: a}, relu, {conv: 4, as: b}]")
    after = paths("graph: [{conv: 4, as: a}, batch_norm, relu, {conv: 4, as: b}]")
    assert set(before) < set(after)


def test_unnamed_steps_are_numbered_by_kind_and_leave_names_free() -> None:
    assert paths("graph: [relu, {conv: 4}, relu, {conv: 4, as: conv1}, {conv: 4}]") == [
        "relu0", "conv0", "relu1", "conv1", "conv2",
    ]  # fmt: skip


def test_in_is_the_input_of_the_nearest_body() -> None:
    text = "graph: [{conv: 3}, {do: [{conv: 3, as: a}, {add: [a, in]}]}]"
    assert same(text, "graph: [{conv: 3, as: x}, {conv: 3, as: a}, {add: [a, x]}]")


def test_a_body_that_stands_alone_gives_a_level_to_the_path() -> None:
    assert paths("graph: [{do: [{conv: 3}, relu], from: image, as: branch}]") == ["branch/conv0", "branch/relu0"]


def test_taps_are_local_to_their_body() -> None:
    (finding,) = findings("graph: [{do: [{conv: 3, as: a}]}, {add: [a, prev]}]")
    assert finding.code == "unknown-name"


def test_prev_is_undefined_with_several_inputs_until_the_first_from() -> None:
    two = "resspec: 1\ninputs: {a: [4], b: [4]}\n"
    (finding,) = findings(two + "graph: [{dense: 2}]")
    assert finding.code == "undefined-input"
    assert output(two + "graph: [{dense: 2, from: a}, {add: prev}]") == "(2)"


# -- loops ------------------------------------------------------------------------------------------


def test_repeat_n_equals_n_copies() -> None:
    turns = "graph: [{repeat: 3, do: [{conv: 4}, relu]}]"
    assert same(turns, "graph: [{conv: 4}, relu, {conv: 4}, relu, {conv: 4}, relu]")


def test_zero_turns_pass_the_input_through() -> None:
    assert same("graph: [{conv: 4}, {repeat: 0, do: [relu]}]", "graph: [{conv: 4}]")


def test_for_walks_lists_side_by_side_and_counts() -> None:
    loop = "graph: [{for: {f: [4, 8], k: [1, 3]}, do: [{conv: {filters: f + i, kernel_size: k, padding: same}}]}]"
    written = "graph: [{conv: {filters: 4, padding: same}}, {conv: {filters: 9, kernel_size: 3, padding: same}}]"
    assert same(loop, written)


def test_for_unpacks_rows() -> None:
    loop = "graph: [{for: {'f, n': '[[4, 1], [8, 2]]'}, do: [{repeat: n, do: [{conv: f}]}]}]"
    assert same(loop, "graph: [{conv: 4}, {conv: 8}, {conv: 8}]")


def test_unequal_lists_are_refused_with_both_lengths() -> None:
    (finding,) = findings("graph: [{for: {a: [1, 2], b: [1]}, do: [relu]}]")
    assert finding.code == "unequal-lists"
    assert "`a` has 2" in finding.message
    assert "`b` has 1" in finding.message


def test_a_name_built_with_the_loop_variable_leaves_the_loop() -> None:
    text = "graph: [{repeat: 2, do: [{conv: 4, as: x$i}]}, {add: [x0, x1]}]"
    assert same(text, "graph: [{conv: 4, as: a}, {conv: 4, as: b}, {add: [a, b]}]")


def test_it_leaves_through_let_too_and_serves_the_next_turn() -> None:
    text = """
    graph:
      - {conv: 4, as: x0}
      - {repeat: 3, let: {n: i + 1}, do: [{conv: 4, as: x$n}, {add: [prev, x$(n-1)]}]}
    """
    assert [path for path in paths(text) if path.startswith("x")] == ["x0", "x1", "x2", "x3"]


def test_a_name_leaves_exactly_the_loops_whose_variables_it_holds() -> None:
    inner = "graph: [{repeat: 2, let: {o: i}, do: [{repeat: 2, do: [{conv: 3, as: x$i}]}, {add: [x0, x1]}]}]"
    assert load(inner).digest
    (finding,) = findings(inner.replace("}]", "}, {tap: x0}]", 1).replace("{add: [x0, x1]}]}]", "relu]}, {tap: x0}]"))
    assert finding.code == "unknown-name"
    both = "graph: [{repeat: 2, let: {o: i}, do: [{repeat: 2, do: [{conv: 3, as: x$(o)_$i}]}]}, {add: [x0_0, x1_1]}]"
    assert load(both).digest


def test_the_loop_variable_of_an_outer_loop_is_kept_by_let() -> None:
    text = "graph: [{repeat: 2, let: {o: i}, do: [{repeat: 2, do: [{conv: 1 + 2*o + i}]}]}]"
    assert same(text, "graph: [{conv: 1}, {conv: 2}, {conv: 3}, {conv: 4}]")


def test_a_named_loop_gives_each_turn_its_level() -> None:
    text = "graph: [{repeat: 2, as: stage$i, do: [{conv: 4, as: a}]}, {add: [stage0, stage1]}]"
    assert paths(text) == ["stage0/a", "stage1/a", "add0"]


def test_a_name_without_dollar_names_the_final_result() -> None:
    text = "graph: [{repeat: 2, as: body, do: [{conv: 3}]}, {add: [body, image]}]"
    assert paths(text) == ["body/conv0", "body/conv1", "add0"]


def test_a_name_repeated_by_an_unnamed_loop_gets_a_number() -> None:
    assert paths("graph: [{repeat: 3, do: [{conv: 3, as: a}, {add: [a, in]}]}]") == [
        "a", "add0", "a_1", "add1", "a_2", "add2",
    ]  # fmt: skip


# -- when -----------------------------------------------------------------------------------------------


def test_a_skipped_step_passes_its_input_through() -> None:
    assert same("graph: [{conv: 4}, {relu: , when: 1 > 2}]", "graph: [{conv: 4}]")


def test_exclusive_definitions_of_one_name_are_legal() -> None:
    text = "graph: [{conv: 4, as: a, when: true}, {conv: 5, as: a, when: false}, {add: [a, a]}]"
    assert same(text, "graph: [{conv: 4, as: a}, {add: [a, a]}]")


def test_two_active_definitions_are_an_error_that_shows_both() -> None:
    (finding,) = findings("graph: [{conv: 4, as: a}, {conv: 5, as: a}]")
    assert finding.code == "duplicate-name"
    assert finding.labels


def test_a_name_whose_definitions_were_all_skipped_cites_the_when() -> None:
    (finding,) = findings("graph: [{conv: 4, as: a, when: false}, {add: [a, prev]}]")
    assert finding.code == "skipped-name"
    assert finding.labels[0].text == "its `when` is false"


def test_a_skipped_step_is_checked_all_the_same() -> None:
    assert [f.code for f in findings("graph: [{cnv: 4, when: false}, {conv: {filtres: 4}, when: false}]")] == [
        "unknown-op",
        "unknown-argument",
    ]


def test_when_cannot_compare_an_unknown_size() -> None:
    text = "resspec: 1\ninputs: {x: [H, 3]}\ngraph: [{conv: 3, when: in.length > 4}]"
    (finding,) = findings(text)
    assert finding.code == "unknown-size"


# -- blocks -----------------------------------------------------------------------------------------------


def test_an_inlined_block_equals_the_written_one() -> None:
    text = "blocks: {b: {params: {n: int}, graph: [{conv: n}, relu]}}\ngraph: [{b: 4}, {b: {n: 8}}]"
    assert same(text, "graph: [{conv: 4}, relu, {conv: 8}, relu]")


def test_a_bare_list_is_a_block() -> None:
    assert same("blocks: {b: [batch_norm, relu]}\ngraph: [b, {b: }]", "graph: [batch_norm, relu, batch_norm, relu]")


def test_a_block_sees_no_taps_of_its_caller() -> None:
    assert "unknown-name" in [f.code for f in findings("blocks: {b: [{tap: a}]}\ngraph: [{conv: 3, as: a}, b]")]


def test_a_block_sees_params_and_lets_of_the_spec_and_hides_them_by_its_own() -> None:
    head = "resspec: 1\nparams: {w: int = 4}\nlet: {v: 2*w}\ninputs: {x: [8, 3]}\n"
    assert same(head + "blocks: {b: [{conv: v}]}\ngraph: [b]", head + "graph: [{conv: 8}]")
    hidden = "blocks: {b: {params: {w: int = 5}, graph: [{conv: w}]}}\ngraph: [b]"
    assert same(head + hidden, head + "graph: [{conv: 5}]")


def test_a_block_default_may_use_what_the_spec_says() -> None:
    head = "resspec: 1\nparams: {w: int = 4}\ninputs: {x: [8, 3]}\n"
    assert same(
        head + "blocks: {b: {params: {n: int = 2*w}, graph: [{conv: n}]}}\ngraph: [b]", head + "graph: [{conv: 8}]"
    )


def test_let_in_a_block() -> None:
    text = "blocks: {b: {params: {n: int}, let: {m: n + in.channels}, graph: [{conv: m}]}}\ngraph: [{b: 2}]"
    assert same(text, "graph: [{conv: 5}]")


def test_several_inputs_and_outputs() -> None:
    block = """
    blocks:
      cross:
        inputs: [x, gate]
        graph: [{dense: 4, from: x, as: u}, {dense: 4, from: gate, as: v}, {add: [u, v], as: s}]
        outputs: {sum: s, right: v}
    """
    by_list = block + "graph: [{cross: , from: [image, image], as: c}, {add: [c.sum, c.right, prev]}]"
    by_name = block + "graph: [{cross: , from: {gate: image, x: image}, as: c}, {add: [c.sum, c.right, c]}]"
    assert same(by_list.replace("\n    ", "\n"), by_name.replace("\n    ", "\n"))


def test_recursion_must_come_nearer_an_end() -> None:
    head = "blocks: {r: {params: {n: int}, graph: [{conv: 3}, {r: $CALL, when: n > 0}]}}\ngraph: [{r: 2}]"
    assert len(paths(head.replace("$CALL", "n - 1"))) == 3
    (finding,) = findings(head.replace("$CALL", "n"))
    assert finding.code == "endless-recursion"
    assert "n = 2 -> 2" in finding.message


def test_mutual_recursion_is_held_to_the_same() -> None:
    text = """
    blocks:
      a: {params: {n: int}, graph: [{b: n}]}
      b: {params: {n: int}, graph: [{a: n}]}
    graph: [{a: 3}]
    """
    assert [f.code for f in findings(text.replace("\n    ", "\n"))] == ["endless-recursion"]


def test_parameters_are_typed() -> None:
    block = "blocks: {b: {params: {n: int, f: bool = false}, graph: [{conv: n}]}}\n"
    for call in ("{b: 'true'}", "{b: 2.5}", "{b: {n: 2, f: 1}}", "{b: {m: 2}}", "{b: }"):
        (finding,) = findings(block + f"graph: [{call}]")
        assert finding.code in ("bad-value", "unknown-argument", "missing-argument"), call
    assert output(block + "graph: [{b: 4/2}]") == "(8, 8, 2)"


# -- merges ---------------------------------------------------------------------------------------------------


def test_merges_are_strict() -> None:
    text = "graph: [{conv: 1, as: a}, {add: [a, image]}]"
    (finding,) = findings(text)
    assert finding.code == "shape-mismatch"
    assert {label.text for label in finding.labels} == {
        "(8, 8, 1)",
        "(8, 8, 3)",
        "`a` makes 1 channel",
        "`image` has 3 channels",
    }
    assert finding.help is not None
    assert "give `image`" not in finding.help


def test_a_lone_name_is_merged_with_the_previous_value() -> None:
    assert same("graph: [{conv: 3}, {add: image}]", "graph: [{conv: 3}, {add: [prev, image]}]")


@pytest.mark.parametrize(("align", "shape"), [("crop", "(6, 6, 6)"), ("pad", "(8, 8, 6)"), ("resize", "(8, 8, 6)")])
def test_align_mends_sizes(align: str, shape: str) -> None:
    text = "graph: [{conv: {filters: 3, kernel_size: 3}, as: a}, {concat: {of: [image, a], align: ALIGN}}]"
    assert output(text.replace("ALIGN", align)) == shape


def test_an_odd_pixel_is_cropped_off_bottom_and_right() -> None:
    graph = load("graph: [{conv: {filters: 3, kernel_size: 4}, as: a}, {add: {of: [image, a], align: crop}}]")
    (crop,) = (node for node in graph.nodes if node.op.kind == "crop")
    assert crop.path == "add0/crop0"
    assert crop.op.canonical(*graph.operands(crop))["cropping"] == [[1, 2], [1, 2]]


def test_project_auto_takes_the_fitting_stride() -> None:
    text = "graph: [{conv: {filters: 6, kernel_size: 3, strides: 2, padding: 1}}, {add: {of: [prev, image], project: auto}}]"
    graph = load(text)
    (node,) = (node for node in graph.nodes if node.path == "add0/project1")
    assert node.op.canonical(*graph.operands(node)) | {"filters": 6, "strides": [2, 2]} == node.op.canonical(
        *graph.operands(node)
    )


def test_project_pad_has_no_weights() -> None:
    text = "graph: [{conv: {filters: 6, kernel_size: 3, strides: 2, padding: 1, use_bias: false}}, {add: {of: [prev, image], project: pad}}]"
    assert load(text).summary().params.trainable == 3 * 3 * 3 * 6


# -- sharing, outputs, trainable ------------------------------------------------------------------------------------


def test_share_counts_weights_once() -> None:
    text = "graph: [{dense: {units: 3}, share: k}, {dense: {units: 3}, share: k}]"
    assert load(text).summary().params.total == 12


def test_share_of_a_block() -> None:
    text = "blocks: {b: [{dense: 3, as: d}, batch_norm]}\ngraph: [{b: , share: k}, {b: , share: k}, {b: }]"
    graph = load(text)
    assert [node.owner for node in graph.nodes if node.op.kind == "dense"] == [None, "b0/d", None]


@pytest.mark.parametrize(
    "graph",
    [
        "[{dense: 3, share: k}, {dense: 4, share: k}]",
        "[{dense: 4, share: k}, {dense: 4, share: k}]",
        "[{dense: 3, share: k}, {conv: 3, share: k}]",
        "[{embedding: {input_dim: 9, output_dim: 3, reverse: true}, share: k},"
        " {embedding: {input_dim: 8, output_dim: 9, reverse: true}, share: k}]",
    ],
)
def test_share_needs_the_same_op_arguments_and_weight_shapes(graph: str) -> None:
    assert [f.code for f in findings("graph: " + graph)] == ["share-mismatch"]


def test_outputs_are_named_in_order_and_default_to_the_last_value() -> None:
    assert list(load("graph: [relu]").outputs) == ["output"]
    assert list(load("graph: [{relu: , as: b, output: true}, {relu: , as: a, output: true}]").outputs) == ["b", "a"]


def test_an_output_needs_a_name_and_cannot_stand_in_a_block() -> None:
    assert [f.code for f in findings("graph: [{relu: , output: true}]")] == ["missing-argument"]
    assert [f.code for f in findings("blocks: {b: [{relu: , as: a, output: true}]}\ngraph: [b]")] == ["output-in-block"]
    assert [f.code for f in findings("graph: [{repeat: 2, do: [{relu: , as: a, output: true}]}]")] == ["duplicate-name"]


def test_the_layer_of_an_output_bears_its_name() -> None:
    graph = load("graph: [{repeat: 2, as: stack$i, do: [{conv: 4, as: heat$i, output: true}]}]")
    assert graph.layer_names == ("image", "heat0", "heat1")


def test_names_that_keras_would_see_twice_are_found() -> None:
    (finding,) = findings("graph: [{conv: 4, as: a_b}, {do: [{conv: 4, as: b}], as: a}, relu]")
    assert finding.code == "name-collision"


def test_trainable_false_reaches_everything_inside() -> None:
    text = "graph: [{repeat: 2, do: [{dense: 3}], trainable: false}, {dense: 3}]"
    params = load(text).summary().params
    assert (params.trainable, params.non_trainable) == (12, 24)


# -- values -----------------------------------------------------------------------------------------------------------


def test_dollar_keeps_its_type_in_any_slot_and_fills_text() -> None:
    head = "resspec: 1\nparams: {n: int = 4, act: str = relu, p: str = same}\ninputs: {x: [8, 8, 3]}\n"
    text = head + "graph: [{conv: {filters: $n, kernel_size: $(n - 1), padding: $p}}, {activation: $act}]"
    assert same(text, head + "graph: [{conv: {filters: 4, kernel_size: 3, padding: same}}, relu]")


def test_match_stands_wherever_a_value_may() -> None:
    head = "resspec: 1\nparams: {n: int = 2}\ninputs: {x: [8, 8, 3]}\n"
    text = head + "graph: [{conv: {filters: {match: n, 1: 4, 2: 8}, padding: {match: n, 2: same, else: valid}}}]"
    assert same(text, head + "graph: [{conv: {filters: 8, padding: same}}]")
    (finding,) = findings(head + "graph: [{conv: {match: n, 1: 4}}]")
    assert finding.code == "no-match"


def test_lets_run_from_top_to_bottom() -> None:
    head = "resspec: 1\ninputs: {x: [8, 8, 3]}\n"
    assert output(head + "let: {a: 2, b: a + 1, c: '[a, b]'}\ngraph: [{conv: 'c[1]'}]") == "(8, 8, 3)"
    (finding,) = findings(head + "let: {b: a + 1, a: 2}\ngraph: [relu]")
    assert finding.code == "unknown-name"


def test_defaults_fill_in_and_yield_to_the_step() -> None:
    head = "resspec: 1\ndefaults: {conv: {use_bias: false, kernel_size: 3}}\ninputs: {x: [8, 8, 3]}\n"
    plain = "resspec: 1\ninputs: {x: [8, 8, 3]}\n"
    given = "graph: [{conv: {filters: 2, use_bias: false, kernel_size: 3}}, {conv: {filters: 2, kernel_size: 1, use_bias: true}}]"
    assert same(head + "graph: [{conv: 2}, {conv: {filters: 2, kernel_size: 1, use_bias: true}}]", plain + given)


def test_variants_and_params_are_checked_like_the_file() -> None:
    text = "resspec: 1\nparams: {n: {type: int, enum: [2, 4], default: 2}}\nvariants: {big: {n: 4}}\n"
    text += "inputs: {x: [8, 3]}\ngraph: [{conv: n}]"
    assert output(text, variant="big") == "(8, 4)"
    assert output(text, variant="big", params={"n": 2}) == "(8, 2)"
    assert findings(text, params={"n": 3})[0].code == "bad-value"
    assert findings(text, params={"m": 3})[0].code == "unknown-param"
    assert findings(text, variant="bgi")[0].help == "did you mean `big`?"


# -- sizes ------------------------------------------------------------------------------------------------------------


def test_the_legal_sizes_of_a_small_u_net() -> None:
    text = """
        resspec: 1
        inputs: {x: [H, W, 1]}
        graph:
          - {conv: {filters: 2, kernel_size: 3}, as: skip}
          - max_pool: 2
          - {conv: {filters: 2, kernel_size: 3}}
          - upsample: 2
          - concat: {of: [skip, prev], align: crop}
    """
    assert str(load(text).domains["H"]) == "H = 0 (mod 2), H >= 8"
    assert output(text) == "(H - 6, W - 6, 4)"


def test_expect_restricts_to_exact_division() -> None:
    text = "resspec: 1\ninputs: {x: [H, 3]}\ngraph: [{conv: {filters: 3, kernel_size: 3, strides: 2, padding: 1}}, {expect: [H/2, 3]}]"
    assert str(load(text).domains["H"]) == "H = 0 (mod 2), H >= 2"


def test_merges_are_checked_on_unknown_sizes() -> None:
    text = "resspec: 1\ninputs: {x: [H, 3]}\ngraph: [{conv: {filters: 3, kernel_size: 3}, as: a}, {add: [a, x]}]"
    (finding,) = findings(text)
    assert finding.code == "shape-mismatch"


def test_inputs_can_be_rebound() -> None:
    text = "graph: [{conv: {filters: 3, kernel_size: 3}}]"
    assert output(text, inputs={"image": [None, None, 3]}) == "(H - 2, W - 2, 3)"
    assert output(text, inputs={"image": [10, 12, 3]}) == "(8, 10, 3)"
    assert findings(text, inputs={"image": [10, 3]})[0].code == "rank-mismatch"


# -- the whole ------------------------------------------------------------------------------------------------------------


def test_independent_mistakes_are_found_in_one_run_and_followers_are_silent() -> None:
    text = "graph: [{conv: wid, as: a}, {relu: , from: a}, {cnv: 3}, {dense: {units: 0}}, {add: [prev, a]}]"
    assert [f.code for f in findings(text)] == ["unknown-name", "unknown-op", "bad-value"]


def test_a_flat_spec_has_the_same_digest() -> None:
    text = """
    resspec: 1
    inputs: {x: [6, 4], y: [4]}
    blocks: {b: [{dense: 4, as: d}, {layer_norm: }]}
    graph:
      - {b: , share: k, from: x, as: one}
      - {b: , share: k, as: two}
      - {split: 2, as: parts}
      - {concat: [parts.part1, parts.part0], as: swapped, output: true}
      - {multi_head_attention: {num_heads: 2, key_dim: 4}, from: [two, one], as: mixed, output: true}
      - {dense: {units: 3, kernel_initializer: {name: he_normal, seed: 3}}, from: y, as: out, output: true, trainable: false}
      - {relu: , from: y, as: last, output: true}
      - {tap: y, as: again, output: true}
    """
    graph = load(text)
    assert list(graph.outputs) == ["swapped", "mixed", "out", "last", "again"]
    assert load(to_yaml(graph)).digest == graph.digest


def test_comments_and_white_space_keep_the_digest() -> None:
    assert same("graph: [{conv: 4}]", "# a comment\ngraph:\n  -   conv:   4   # four\n")


def test_the_number_of_steps_is_bounded_before_anything_is_made() -> None:
    for steps in ("[{repeat: 1000000000, do: [relu]}]", "[{repeat: 1000, do: [{repeat: 1000, do: [relu]}]}]"):
        with pytest.raises(SpecError) as caught:
            load(f"graph: {steps}")
        assert caught.value.diagnostics[-1].code in ("too-many-steps", "too-many-nodes")


RELATED = """
    resspec: 1
    inputs: {image: [H, W, 3], guide: [h, w, 8]}
    graph:
      - {conv: {filters: 8, kernel_size: 3, strides: 2, padding: 1}, from: image, as: a}
      - {upsample: 2, from: guide, as: b}
      - {concat: [a, b]}
"""


def test_a_merge_says_how_the_sizes_of_two_inputs_depend_on_each_other() -> None:
    graph = load(RELATED)
    assert graph.legal_sizes == {
        "H": "H = 0 or 3 (mod 4), H >= 3",
        "W": "W = 0 or 3 (mod 4), W >= 3",
        "h": "h = (H + 1)//4",
        "w": "w = (W + 1)//4",
    }
    assert output(RELATED) == "((H + 1)//2, (W + 1)//2, 16)"
    for size in range(3, 40):
        legal = graph.domains["H"].contains(size)
        guides = [g for g in range(1, 20) if 2 * g == (size + 1) // 2]
        assert legal == bool(guides)
        if legal:
            fixed = load(RELATED, inputs={"image": [size, size, 3], "guide": [guides[0], guides[0], 8]})
            assert fixed.nodes[-1].outputs[0].shape == ((size + 1) // 2, (size + 1) // 2, 16)


def test_three_inputs_of_one_size() -> None:
    graph = load(
        "resspec: 1\ninputs: {a: [T, 4], b: [S, 4], c: [R, 4]}\n"
        "graph: [{concat: [b, c], as: bc}, {max_pool: 2, from: a}, {upsample: 2}, {concat: [prev, bc]}]"
    )
    assert graph.legal_sizes == {"T": "T = 0 (mod 2), T >= 2", "S": "S = T", "R": "R = T"}


def test_a_table_of_positions_bounds_the_length() -> None:
    graph = load("resspec: 1\ninputs: {x: [T, 8]}\ngraph: [{max_pool: 2}, {position_embedding: 16}]")
    assert str(graph.domains["T"]) == "T = 0 (mod 2), 2 <= T <= 32"


@pytest.mark.parametrize("name", ["resnet_v2", "resnet_cifar", "densenet", "hourglass", "unet"])
def test_repeated_calls_yield_what_the_long_way_yields(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = resspec.load(name).to_json()
    monkeypatch.setattr(replay, "key", lambda *_: None)
    assert resspec.load(name).to_json() == quick


REPEATED = """
    blocks:
      two:
        inputs: [a, b]
        graph: [{add: [a, b]}]
      inner:
        params: {n: int}
        graph: [{conv: {filters: n, kernel_size: 3, padding: 1}, as: c}, {dense: n, share: d}, {dense: n, share: d}]
      outer:
        params: {n: int, deep: bool = false}
        outputs: {low: low, high: high}
        graph:
          - {inner: n, as: low}
          - {repeat: 2, as: r$i, do: [{inner: n, when: deep}, {relu: , as: x}]}
          - {inner: n, as: high}
    graph:
      - {conv: 4, as: stem}
      - {repeat: 3, as: s$i, do: [{outer: {n: 4, deep: true}, as: o}, {two: , from: {a: o.low, b: o.high}}]}
      - {outer: 4, as: p}
      - {two: , from: [p.low, p.low]}
      - {outer: 4, as: q, trainable: false}
      - {two: , from: [q.low, p.high]}
"""


def test_repeated_calls_keep_names_sharing_groups_and_places(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = load(REPEATED)
    monkeypatch.setattr(replay, "key", lambda *_: None)
    slow = load(REPEATED)
    assert quick.to_json() == slow.to_json()
    assert quick.nodes == slow.nodes
    assert quick.groups == slow.groups
    assert quick.results == slow.results
    assert quick.warnings == slow.warnings
