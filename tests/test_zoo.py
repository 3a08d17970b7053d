"""The shipped networks against what was published of them, and against Keras's own count.

The numbers below are written down here once more, from the papers, the authors' code and independent
implementations (torchvision, timm, keras.applications), not read from the specs.
"""

from __future__ import annotations

import gc
import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import keras
import numpy as np
import pytest

import resspec
from resspec import api, report
from resspec.language.schema import Step
from resspec.ops.regularization import StochasticDepth


class Known(NamedTuple):
    """A published network: trainable parameters, moving statistics (Keras counts both), multiply-adds in G."""

    trainable: int
    statistics: int | None = None
    macs: str | None = None
    """as printed; its digits are what must agree"""


ZOO = {
    "alexnet@alexnet": Known(60_965_224, 0, "0.7244"),
    "alexnet@alexnet_one_group": Known(62_378_344, 0, "1.135"),
    "vgg@vgg11": Known(132_863_336, 0),
    "vgg@vgg13": Known(133_047_848, 0),
    "vgg@vgg16": Known(138_357_544, 0, "15.470"),
    "vgg@vgg19": Known(143_667_240, 0, "19.632"),
    "vgg@vgg11_bn": Known(132_868_840),
    "vgg@vgg13_bn": Known(133_053_736),
    "vgg@vgg16_bn": Known(138_365_992, 8_448),
    "vgg@vgg19_bn": Known(143_678_248),
    "resnet@plain18": Known(11_515_688, None, "1.795"),
    "resnet@plain34": Known(21_623_848, None, "3.644"),
    "resnet@resnet18": Known(11_689_512, 9_600, "1.814"),
    "resnet@resnet34": Known(21_797_672, 17_024, "3.664"),
    "resnet@resnet34_a": Known(21_623_848),
    "resnet@resnet34_c": Known(22_716_840),
    "resnet@resnet50": Known(25_557_032, 53_120, "3.858"),
    "resnet@resnet50_v15": Known(25_557_032, 53_120, "4.089"),
    "resnet@resnet101": Known(44_549_160, 105_344, "7.570"),
    "resnet@resnet152": Known(60_192_808, 151_424, "11.282"),
    "resnet_v2@resnet18_v2": Known(11_687_720, 7_808, "1.814"),
    "resnet_v2@resnet34_v2": Known(21_795_880, 15_232, "3.664"),
    "resnet_v2@resnet50_v2": Known(25_549_352, 45_440, "4.089"),
    "resnet_v2@resnet101_v2": Known(44_541_480, 97_664, "7.801"),
    "resnet_v2@resnet152_v2": Known(60_185_128, 143_744, "11.514"),
    "resnet_v2@resnet200_v2": Known(64_666_152, 168_320, "15.007"),
    "resnet_cifar@resnet20": Known(269_722, None, "0.0406"),
    "resnet_cifar@resnet20_b": Known(272_474),
    "resnet_cifar@resnet32": Known(464_154),
    "resnet_cifar@resnet44": Known(658_586),
    "resnet_cifar@resnet56": Known(853_018, None, "0.1255"),
    "resnet_cifar@resnet110": Known(1_727_962, None, "0.2529"),
    "resnet_cifar@resnet110_b": Known(1_730_714),
    "resnet_cifar@resnet1202": Known(19_421_274, None, "2.829"),
    "resnet_cifar@preact110": Known(1_727_962),
    "resnet_cifar@preact164": Known(1_703_258, None, "0.2445"),
    "resnet_cifar@preact1001": Known(10_327_706, 149_216, "1.488"),
    "resnet_cifar@bn_after_add110": Known(1_727_962),
    "resnet_cifar@relu_before_add110": Known(1_727_962),
    "resnet_cifar@relu_preact110": Known(1_727_962),
    "resnet_cifar@stochastic110": Known(1_727_962, None, "0.2529"),
    "resnet_cifar@stochastic1202": Known(19_421_274, None, "2.829"),
    "resnet_cifar@plain20": Known(269_722),
    "resnet_cifar@plain56": Known(853_018),
    "resnet_cifar@plain110": Known(1_727_962),
    "densenet@densenet121": Known(7_978_856, 83_648, "2.834"),
    "densenet@densenet161": Known(28_681_000, 219_936, "7.728"),
    "densenet@densenet169": Known(14_149_480, 158_400, "3.360"),
    "densenet@densenet201": Known(20_013_928, 229_056, "4.291"),
    "densenet@densenet264": Known(33_337_704, 398_528, "5.752"),
    "densenet@densenet264_k48": Known(72_686_632, 597_792, "12.85"),
    "densenet_cifar@densenet_40_12": Known(1_019_722),
    "densenet_cifar@densenet_100_12": Known(6_979_642),
    "densenet_cifar@densenet_100_24": Known(27_249_082),
    "densenet_cifar@densenet_bc_100_12": Known(769_162),
    "densenet_cifar@densenet_bc_250_24": Known(15_324_406),
    "densenet_cifar@densenet_bc_190_40": Known(25_624_430),
    "unet@unet": Known(31_030_658, 0, "150.4"),
    "unet@unet_same": Known(31_030_658, 0),
    "unet@unet_bn": Known(31_037_698),
    "unet@unet3d": Known(19_075_523, 4_672),
    "hourglass@hourglass1": Known(3_426_448, 16_640, "5.150"),
    "hourglass@hourglass2": Known(6_570_400, 31_488, "8.335"),
    "hourglass@hourglass4": Known(12_858_304, 61_184, "14.703"),
    "hourglass@hourglass8": Known(25_434_112, 120_576, "27.440"),
    "hourglass@hourglass2_bearpaw": Known(6_730_912),
    "hourglass@hourglass8_bearpaw": Known(25_594_624),
    # keras.applications 3.15.1: VGG, ResNet, DenseNet, Xception, Inception, NASNet
    "resnet@resnet50_keras": Known(25_583_592, 53_120, "3.858"),
    "resnet@resnet101_keras": Known(44_601_832, 105_344, "7.570"),
    "resnet@resnet101_v15": Known(44_549_160, 105_344, "7.801"),
    "resnet@resnet152_v15": Known(60_192_808, 151_424, "11.514"),
    "resnet@resnet152_keras": Known(60_268_520, 151_424, "11.282"),
    "densenet@densenet121_keras": Known(7_978_856, 83_648, "2.834"),
    "densenet@densenet169_keras": Known(14_149_480, 158_400, "3.360"),
    "densenet@densenet201_keras": Known(20_013_928, 229_056, "4.291"),
    "resnet_v2_keras@resnet50_v2_keras": Known(25_568_360, 45_440, "3.482"),
    "resnet_v2_keras@resnet101_v2_keras": Known(44_577_896, 97_664, "7.194"),
    "resnet_v2_keras@resnet152_v2_keras": Known(60_236_904, 143_744, "10.907"),
    "xception@xception": Known(22_855_952, 54_528, "8.357"),
    "inception_v3@inception_v3": Known(23_817_352, 34_432, "5.713"),
    "inception_resnet_v2@inception_resnet_v2": Known(55_813_192, 60_544, "13.156"),
    "nasnet@nasnet_mobile": Known(5_289_978, 36_738, "0.564"),
    "nasnet@nasnet_large": Known(88_753_150, 196_668, "23.8"),
    # Residual networks: torchvision, timm (legacy_se*, resnet*d), the authors' code for CIFAR.
    "resnext@resnext50_32x4d": Known(25_028_904, 68_224, "4.230"),
    "resnext@resnext101_32x4d": Known(44_177_704, 137_856),
    "resnext@resnext101_32x8d": Known(88_791_336, 202_880),
    "resnext@resnext101_64x4d": Known(83_455_272, 202_880),
    "resnext_cifar@resnext29_8x64d": Known(34_426_698),
    "resnext_cifar@resnext29_16x64d": Known(68_155_210),
    "wide_resnet@wide_resnet50_2": Known(68_883_240, 68_224, "11.398"),
    "wide_resnet@wide_resnet101_2": Known(126_886_696, 137_856),
    "wide_resnet_cifar@wrn40_1": Known(563_930),
    "wide_resnet_cifar@wrn40_2": Known(2_243_546),
    "wide_resnet_cifar@wrn40_4": Known(8_949_210, None, "1.299"),
    "wide_resnet_cifar@wrn40_8": Known(35_748_314),
    "wide_resnet_cifar@wrn40_10": Known(55_841_754),
    "wide_resnet_cifar@wrn28_10": Known(36_479_194),
    "wide_resnet_cifar@wrn28_10_dropout": Known(36_479_194),
    "wide_resnet_cifar@wrn28_12": Known(52_517_850),
    "wide_resnet_cifar@wrn22_8": Known(17_158_106),
    "wide_resnet_cifar@wrn22_10": Known(26_797_914),
    "wide_resnet_cifar@wrn16_8": Known(10_961_370),
    "wide_resnet_cifar@wrn16_10": Known(17_116_634),
    "se_resnet@se_resnet18": Known(11_778_592, 9_600),
    "se_resnet@se_resnet34": Known(21_958_868, 17_024),
    "se_resnet@se_resnet50": Known(28_088_024, 53_120, "3.8605"),
    "se_resnet@se_resnet101": Known(49_326_872, 105_344),
    "se_resnet@se_resnet152": Known(66_821_848, 151_424),
    "se_resnet@se_resnext50": Known(27_559_896, 68_224),
    "se_resnet@se_resnext101": Known(48_955_416, 137_856),
    "resnet_d@resnet18d": Known(11_708_744, 9_728),
    "resnet_d@resnet34d": Known(21_816_904, 17_152),
    "resnet_d@resnet50d": Known(25_576_264, 53_248),
    "resnet_d@resnet101d": Known(44_568_392, 105_472),
    "resnet_d@resnet152d": Known(60_212_040, 151_552),
    "resnet_d@resnet200d": Known(64_693_064, 176_128),
    # Encoder-decoders: segmentation_models.pytorch 0.6 (unet_resnet), torchvision (fpn), timm (hrnet), authors' code.
    "attention_unet@attention_unet": Known(34_878_573),
    "attention_unet@unet_upsampling": Known(34_527_041),
    "attention_unet@r2_unet": Known(39_091_393),
    "attention_unet@r2_attention_unet": Known(39_442_925),
    "deeplab@deeplabv3plus_resnet50": Known(26_682_725, 57_312),     # for 21 classes, smp's 26,677,585 for one
    "deeplab@deeplabv3plus_resnet101": Known(45_674_853, 109_536),
    "deeplab@deeplabv3_resnet50": Known(39_638_869, 56_704),
    "deeplab@deeplabv3_resnet101": Known(58_630_997, 108_928),
    "fpn@fpn_resnet50": Known(26_852_416, 53_120),
    "fpn@fpn_resnet101": Known(45_844_544),
    "hrnet@hrnet_w18": Known(21_299_004, 51_216),
    "hrnet@hrnet_w32": Known(41_232_680, 74_624),
    "hrnet@hrnet_w48": Known(77_469_864, 101_376),
    "linknet@linknet": Known(11_535_957, 11_712),
    "linknet@linknet34": Known(21_644_117, 19_136),
    "pspnet@pspnet50": Known(46_716_373, 58_624),
    "pspnet@pspnet101": Known(65_708_501),
    "resunet@resunet": Known(7_789_313),
    "resunet@resunet_projected": Known(8_220_993),
    "unet_efficientnet@unet_efficientnet_b0": Known(5_839_309),      # smp's 6,251,469 with 412,160 that nothing reads
    "unet_efficientnet@unet_efficientnet_b4": Known(19_419_289),
    "unet_resnet@unet_resnet18": Known(14_328_209, 11_584),
    "unet_resnet@unet_resnet34": Known(24_436_369, 19_008),
    "unet_resnet@unet_resnet50": Known(32_521_105, 55_104),
    "unet_resnet@unet_resnet101": Known(51_513_233, 107_328),
    "unetpp@unetpp": Known(9_042_177, 0),
    "unetpp@unetpp_ds": Known(9_042_276, 0),
    "unetpp@unetpp_gray": Known(9_041_601, 0),
    # beyond convolution
    "vit@vit_b16": Known(86_567_656, 0, "16.85"),
    "vit@vit_b32": Known(88_224_232, 0),
    "vit@vit_l16": Known(304_326_632, 0),
    "vit@vit_l32": Known(306_535_400, 0),
    "vit@vit_h14": Known(632_045_800, 0),
    "mlp_mixer@mixer_s32": Known(19_104_624, 0),
    "mlp_mixer@mixer_s16": Known(18_528_264, 0),
    "mlp_mixer@mixer_b32": Known(60_293_428, 0),
    "mlp_mixer@mixer_b16": Known(59_880_472, 0),
    "mlp_mixer@mixer_l32": Known(206_939_264, 0),
    "mlp_mixer@mixer_l16": Known(208_196_168, 0),
    "mlp_mixer@mixer_h14": Known(432_350_952, 0),
    "swin@swin_t": Known(28_288_354, 0),
    "swin@swin_s": Known(49_606_258, 0),
    "swin@swin_b": Known(87_768_224, 0),
    "gpt2@gpt2": Known(124_439_808, 0),
    "gpt2@gpt2_medium": Known(354_823_168, 0),
    "gpt2@gpt2_large": Known(774_030_080, 0),
    "gpt2@gpt2_xl": Known(1_557_611_200, 0),
    "lstm_tagger@lstm_tagger": Known(40_169_845, 0),
    "lstm_tagger@lstm_tagger2": Known(40_410_645, 0),
    "tcn@tcn_mnist": Known(66_510, 0),
    "tcn@tcn_copy": Known(12_370, 0),
    "pointnet@pointnet": Known(3_480_049, 12_160, "0.444"),
    "pointnet@pointnet_vanilla": Known(819_624, 4_224),
    "siamese": Known(38_951_745, 0, "1.817"),
    "dcgan_generator@dcgan_generator": Known(18_885_760),
    "dcgan_generator@dcgan_generator_pytorch": Known(3_576_704, 1_920),
    "dcgan_discriminator@dcgan_discriminator": Known(17_232_768, 3_584),
    "dcgan_discriminator@dcgan_discriminator_pytorch": Known(2_765_568, 1_792),
    # keras.applications: MobileNet, EfficientNet, ConvNeXt
    "mobilenet@mobilenet_1": Known(4_231_976, 21_888, "0.569"),
    "mobilenet@mobilenet_075": Known(2_585_560, 16_416, "0.325"),
    "mobilenet@mobilenet_050": Known(1_331_592, 10_944, "0.149"),
    "mobilenet@mobilenet_025": Known(470_072, 5_472, "0.041"),
    "mobilenet_v2@mobilenet_v2": Known(3_504_872, 34_112, "0.30"),
    "mobilenet_v2@mobilenet_v2_035": Known(1_677_128, 14_080, "0.059"),
    "mobilenet_v2@mobilenet_v2_050": Known(1_968_680, 18_544, "0.097"),
    "mobilenet_v2@mobilenet_v2_075": Known(2_636_424, 26_640, "0.209"),
    "mobilenet_v2@mobilenet_v2_130": Known(5_386_792, 44_256, "0.509"),
    "mobilenet_v2@mobilenet_v2_140": Known(6_108_776, 47_936, "0.582"),
    "mobilenet_v3@mobilenet_v3_large": Known(5_483_032, 24_400, "0.217"),
    "mobilenet_v3@mobilenet_v3_small": Known(2_542_856, 12_112, "0.057"),
    "mobilenet_v3@mobilenet_v3_large_075": Known(3_993_528, 19_088, "0.155"),
    "mobilenet_v3@mobilenet_v3_small_075": Known(2_041_872, 9_680, "0.043"),
    "mobilenet_v3@mobilenet_v3_large_minimalistic": Known(3_924_288, 24_400, "0.209"),
    "mobilenet_v3@mobilenet_v3_small_minimalistic": Known(2_044_736, 12_112, "0.052"),
    # of the statistics, 6 are those of the normalization in front; Keras has one more, a count
    "efficientnet@efficientnet_b0": Known(5_288_548, 42_022, "0.386"),
    "efficientnet@efficientnet_b1": Known(7_794_184, 62_054, "0.687"),
    "efficientnet@efficientnet_b2": Known(9_109_994, 67_574),
    "efficientnet@efficientnet_b3": Known(12_233_232, 87_302, "1.827"),
    "efficientnet@efficientnet_b4": Known(19_341_616, 125_206, "4.394"),
    "efficientnet@efficientnet_b5": Known(30_389_784, 172_742, "10.27"),
    "efficientnet@efficientnet_b6": Known(43_040_704, 224_438, "19.07"),
    "efficientnet@efficientnet_b7": Known(66_347_960, 310_726, "37.75"),
    "efficientnet_v2@efficientnet_v2_b0": Known(7_139_704, 60_608),
    "efficientnet_v2@efficientnet_v2_b1": Known(8_141_052, 71_072),
    "efficientnet_v2@efficientnet_v2_b2": Known(10_096_086, 82_288),
    "efficientnet_v2@efficientnet_v2_b3": Known(14_358_406, 109_216),
    "efficientnet_v2@efficientnet_v2_s": Known(21_458_488, 153_872, "8.366"),
    "efficientnet_v2@efficientnet_v2_m": Known(54_139_356, 292_032, "24.58"),
    "efficientnet_v2@efficientnet_v2_l": Known(118_515_272, 512_576, "56.08"),
    "convnext@convnext_tiny": Known(28_589_128, 0, "4.456"),
    "convnext@convnext_small": Known(50_223_688, 0, "8.684"),
    "convnext@convnext_base": Known(88_591_464, 0, "15.355"),
    "convnext@convnext_large": Known(197_767_336, 0, "34.361"),
    "convnext@convnext_xlarge": Known(350_196_968, 0, "60.9"),
}  # fmt: skip

AT = {"unet@unet": {"H": 572, "W": 572}, "pointnet@pointnet": {"N": 1024}}
"""where the published cost depends on the input"""

REPRESENTATIVE = (
    "resnet@resnet34_a", "resnet_v2@resnet50_v2", "resnet_cifar@preact110", "densenet@densenet121", "unet@unet3d",
    "hourglass@hourglass2",
)  # fmt: skip

FAMILIES = sorted({name.partition("@")[0] for name in ZOO})


@pytest.mark.parametrize("name", ZOO)
def test_counts(name: str) -> None:
    known, summary = ZOO[name], resspec.load(name).summary(at=AT.get(name))
    assert summary.params.trainable == known.trainable
    if known.statistics is not None:
        assert summary.params.total == known.trainable + known.statistics
    if known.macs is not None:
        assert summary.macs is not None
        digits = len(known.macs.partition(".")[2])
        assert f"{summary.macs / 1e9:.{digits}f}" == known.macs


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_spec_says_of_itself_holds(family: str) -> None:
    found = api.check(family)
    assert not found.diagnostics, report.text(found.diagnostics, found.sources)
    assert found.checked is not None
    assert found.checked.checks > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_the_table_above_has_every_variant(family: str) -> None:
    variants = api.open_source(family).document.spec.variants
    assert {f"{family}@{name}" for name in variants} == {name for name in ZOO if name.startswith(f"{family}@")}


def steps_of(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from steps_of(step.inline or step.do or ())


@pytest.mark.parametrize("family", FAMILIES)
def test_whatever_carries_weights_has_a_name(family: str) -> None:
    """An unnamed step gets a number, which an inserted step would move, and with it the weights."""
    document = api.open_source(family).document
    names = [name for name in ZOO if name.startswith(f"{family}@")]
    carriers = {
        node.op.kind
        for graph in map(resspec.load, names)
        for node, weights in zip(graph.nodes, graph.weights, strict=True)
        if weights
    } | set(document.block_names)
    bodies = [document.spec.graph, *(block.graph for block in document.spec.blocks.values())]
    unnamed = [step.op for body in bodies for step in steps_of(body) if step.op in carriers and step.name is None]
    assert not unnamed


@pytest.mark.parametrize("name", ["resnet_cifar", "resnet_cifar@preact110", "densenet_cifar"])
def test_small_images_of_one_channel(name: str) -> None:
    graph = resspec.load(name, inputs={"image": [8, 8, 1]}, classes=4)
    assert graph.summary().to_dict()["outputs"] == {"logits": [4]}


@pytest.mark.parametrize(
    ("name", "inputs", "legal"),
    [
        ("unet@unet", None, "H = 12 (mod 16), H >= 188"),
        ("unet@unet_same", None, "H = 0 (mod 16), H >= 16"),
        ("unet@unet3d", None, "H = 4 (mod 8), H >= 92"),
        ("resnet@resnet34_a", [None, None, 3], "H >= 1"),
        ("densenet_cifar", [None, None, 3], "H = 0 (mod 4), H >= 4"),
    ],
)
def test_legal_sizes(name: str, inputs: list[int | None] | None, legal: str) -> None:
    graph = resspec.load(name, inputs={"image": inputs} if inputs else None)
    assert graph.summary().sizes["H"] == legal


def test_a_plain_network_has_as_many_parameters_as_zero_padded_shortcuts() -> None:
    for depth in (18, 34):
        plain, padded = (
            resspec.load("resnet", depth=depth, residual=False),
            resspec.load("resnet", depth=depth, shortcut="A"),
        )
        assert plain.summary().params == padded.summary().params


def test_the_five_orders_of_a_unit_are_those_of_the_figure() -> None:
    """He et al. 2016, figure 4, a to e."""
    weight, norm = "conv", "batch_norm"
    orders = {
        "original": [weight, norm, "relu", weight, norm, "add", "relu"],
        "bn_after_add": [weight, norm, "relu", weight, "add", norm, "relu"],
        "relu_before_add": [weight, norm, "relu", weight, norm, "relu", "add"],
        "relu_preact": ["relu", weight, norm, "relu", weight, norm, "add"],
        "full_preact": [norm, "relu", weight, norm, "relu", weight, "add"],
    }
    for order, kinds in orders.items():
        nodes = resspec.load("resnet_cifar", order=order).nodes
        assert [node.op.kind for node in nodes if node.path.startswith("stage2/unit1/")] == kinds


def test_stochastic_depth_drops_more_with_every_unit() -> None:
    """Huang et al. 2016, equation 4: unit l of L survives with 1 - l/L (1 - p_L)."""
    nodes = resspec.load("resnet_cifar@stochastic110").nodes
    rates = [node.op.rate for node in nodes if isinstance(node.op, StochasticDepth)]
    assert rates == pytest.approx([0.5 * (k + 1) / 54 for k in range(54)])


def built(name: str) -> None:
    """Build with Keras and count there."""
    known = ZOO[name]
    model = resspec.build(name)
    assert sum(math.prod(weight.shape) for weight in model.trainable_weights) == known.trainable
    assert model.count_params() == resspec.load(name).summary().params.total
    if known.statistics is not None:
        assert model.count_params() == known.trainable + known.statistics


@pytest.mark.parametrize("name", REPRESENTATIVE)
def test_keras_counts_the_same(name: str) -> None:
    built(name)


@pytest.mark.zoo
@pytest.mark.parametrize("name", [name for name in ZOO if name not in REPRESENTATIVE])
def test_keras_counts_the_same_of_every_variant(name: str) -> None:
    try:
        built(name)
    finally:
        gc.collect()


def in_densenet(name: str) -> str:
    """The layer of our DenseNet that a layer of keras.applications is."""
    if unit := re.fullmatch(r"conv(\d)_block(\d+)_(\d_\w+)", name):
        step = {"0_bn": "pre_bn", "1_conv": "reduce", "1_bn": "mid_bn", "2_conv": "spatial"}[unit[3]]
        return f"block{int(unit[1]) - 1}_unit{unit[2]}_{step}"
    if pool := re.fullmatch(r"pool(\d)_(\w+)", name):
        return f"block{int(pool[1]) - 1}_transition_" + {"bn": "pre_bn", "conv": "compress"}[pool[2]]
    return {"conv1_conv": "stem", "conv1_bn": "stem_act_bn", "bn": "last_act_bn", "predictions": "logits"}[name]


def in_resnet(name: str) -> str:
    """The layer of our ResNet that a layer of keras.applications is."""
    if unit := re.fullmatch(r"conv(\d)_block(\d+)_(\d)_(\w+)", name):
        step = ("projection", "reduce", "spatial", "restore")[int(unit[3])]
        return f"stage{int(unit[1]) - 1}_unit{int(unit[2]) - 1}_{step}_" + {"bn": "bn", "conv": "weight"}[unit[4]]
    return {"conv1_conv": "stem_weight", "conv1_bn": "stem_bn", "predictions": "logits"}[name]


@pytest.mark.zoo
@pytest.mark.parametrize(
    ("name", "reference", "renamed"),
    [("densenet@densenet121", "DenseNet121", in_densenet), ("resnet@resnet50", "ResNet50", in_resnet)],
)
def test_the_same_numbers_as_keras_applications(name: str, reference: str, renamed: Callable[[str], str]) -> None:
    theirs = getattr(keras.applications, reference)(weights=None, classifier_activation=None)
    ours = resspec.build(name)
    rng = np.random.default_rng(0)
    for layer in theirs.layers:
        if not layer.weights:
            continue
        values = [np.asarray(weight) for weight in layer.weights]
        if isinstance(layer, keras.layers.BatchNormalization):  # one epsilon is 1.001e-5, which is lost in the variance
            values = [rng.uniform(0.5, 1.5, value.shape) for value in values]
            layer.set_weights(values)
        target = ours.get_layer(renamed(layer.name))
        target.set_weights(values[: len(target.weights)])  # their convolutions have biases, which start as zeros
    image = rng.normal(size=(1, 224, 224, 3)).astype("float32")
    np.testing.assert_allclose(ours(image, training=False), theirs(image, training=False), rtol=1e-4, atol=1e-4)
