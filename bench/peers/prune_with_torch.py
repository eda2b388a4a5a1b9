"""Torch-Pruning beside Hone's structured pruning: resnet20 with the CIFAR-10 pictures of the data folder.

Prunes to shares of the MACs (group norm, global), trains under the dense network and writes one ONNX file per share and seed,
which `npm run bench -- structured-peers` then quantizes and measures. Needs torch, torch-pruning, onnx and numpy:

    python3 bench/peers/prune_with_torch.py --data ../shared/data --out .cache/peers
"""

import argparse
import copy
import gzip
import json
import math
import pathlib

import numpy as np
import onnx
import onnx.numpy_helper
import torch
import torch.nn.functional as F
import torch_pruning as tp
from torch import nn

MEAN = np.array([0.485, 0.456, 0.406], np.float32)[:, None, None]
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)[:, None, None]


class Block(nn.Module):
    """Two convolutions and a shortcut. The shortcut between stages (every other pixel, channels padded with zeros) is written as
    the convolution 1x1 with the same outputs: Torch-Pruning does not follow channels through padding, and a convolution leaves
    it free to choose the channels of both stages."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = None
        if stride > 1:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            with torch.no_grad():
                self.shortcut.weight.zero_()
                for channel in range(inputs):
                    self.shortcut.weight[channel + (outputs - inputs) // 2, channel] = 1

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        blocks, inputs = [], 16
        for outputs, stride in [(16, 1)] * 3 + [(32, 2)] + [(32, 1)] * 2 + [(64, 2)] + [(64, 1)] * 2:
            blocks.append(Block(inputs, outputs, stride))
            inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn1(self.conv1(x))))
        return self.linear(x.mean((2, 3)))

    def in_order(self):
        """Pairs of convolution and normalisation in the order of the ONNX file."""
        yield self.conv1, self.bn1
        for block in self.blocks:
            yield block.conv1, block.bn1
            yield block.conv2, block.bn2


def load(path):
    """The network with the weights of the ONNX file."""
    graph = onnx.load(path).graph
    tensors = {t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in graph.initializer}
    of = lambda op: [node for node in graph.node if node.op_type == op]
    net = ResNet20()
    with torch.no_grad():
        for (conv, bn), conv_node, bn_node in zip(net.in_order(), of('Conv'), of('BatchNormalization'), strict=True):
            conv.weight.copy_(tensors[conv_node.input[1]])
            for target, name in zip((bn.weight, bn.bias, bn.running_mean, bn.running_var), bn_node.input[1:]):
                target.copy_(tensors[name])
        (gemm,) = of('Gemm')
        net.linear.weight.copy_(tensors[gemm.input[1]])
        net.linear.bias.copy_(tensors[gemm.input[2]])
    return net.eval()


def pictures(path):
    records = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8).reshape(-1, 3073)
    values = records[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255
    return torch.from_numpy((values - MEAN) / DEVIATION), torch.from_numpy(records[:, 0].astype(np.int64))


def macs(net):
    """Multiply-accumulates of convolutions and the last layer for one picture."""
    total = 0

    def add(module, _, output):
        nonlocal total
        total += module.weight.numel() * output.shape[2:].numel()

    layers = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    hooks = [layer.register_forward_hook(add) for layer in layers]
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, 3, 32, 32))
    for hook in hooks:
        hook.remove()
    return total


def prune(dense, share, whole):
    """Channels of least group norm over the whole network, in small steps until at most the share of the MACs is left."""
    net = copy.deepcopy(dense)
    pruner = tp.pruner.BasePruner(
        net,
        torch.zeros(1, 3, 32, 32),
        importance=tp.importance.GroupMagnitudeImportance(p=2),
        global_pruning=True,
        pruning_ratio=1.0,
        iterative_steps=400,
        ignored_layers=[net.linear],
    )
    while macs(net) > share * whole:
        pruner.step()
    return net


def augmented(x, generator):
    """Each picture moved by up to two pixels, zeros at the border, every other one mirrored."""
    padded = F.pad(x, (2, 2, 2, 2))
    result = torch.empty_like(x)
    for n in range(len(x)):
        dy, dx = torch.randint(0, 5, (2,), generator=generator).tolist()
        cut = padded[n, :, dy : dy + 32, dx : dx + 32]
        result[n] = cut.flip(2) if torch.rand((), generator=generator) < 0.5 else cut
    return result


def train(net, teacher, data, seed, options):
    """SGD with momentum along half a cosine; labels and the outputs of the dense network together (Hinton et al. 2015)."""
    x, labels = data
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.SGD(net.parameters(), options.rate, momentum=0.9, weight_decay=options.weight_decay)
    steps = options.epochs * math.ceil(len(x) / options.batch)
    course = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * step / steps)))
    t, alpha = options.temperature, options.alpha
    for _ in range(options.epochs):
        net.train()
        for chosen in torch.randperm(len(x), generator=generator).split(options.batch):
            batch = augmented(x[chosen], generator)
            with torch.no_grad():
                soft = F.softmax(teacher(batch) / t, 1)
            output = net(batch)
            taught = F.kl_div(F.log_softmax(output / t, 1), soft, reduction='batchmean') * t * t
            loss = (1 - alpha) * F.cross_entropy(output, labels[chosen]) + alpha * taught
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            course.step()
    return net.eval()


def accuracy(net, data):
    x, labels = data
    with torch.no_grad():
        return (net(x).argmax(1) == labels).float().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=pathlib.Path, required=True, help='the data folder')
    parser.add_argument('--out', type=pathlib.Path, required=True, help='folder of the pruned networks')
    parser.add_argument('--shares', type=float, nargs='+', default=[0.6, 0.46])
    parser.add_argument('--seeds', type=int, nargs='+', default=[1, 2, 3])
    parser.add_argument('--epochs', type=int, default=10)
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--rate', type=float, default=0.004, help='the best for it of 0.0015, 0.004, 0.01 and 0.03 (one seed each at 46 %% of the MACs)')
    parser.add_argument('--weight-decay', type=float, default=0)
    parser.add_argument('--temperature', type=float, default=4)
    parser.add_argument('--alpha', type=float, default=0.7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    folder = options.data / 'data' / 'cifar10'
    training, test = pictures(folder / 'train_raw_3000.bin.gz'), pictures(folder / 'test_raw_500a.bin.gz')
    dense = load(options.data / 'models' / 'resnet20_cifar10.onnx')
    without_shortcuts = copy.deepcopy(dense)
    whole = macs(dense) - sum(
        block.shortcut.weight.numel() * (16 if block.shortcut.weight.shape[0] == 32 else 8) ** 2
        for block in without_shortcuts.blocks
        if block.shortcut is not None
    )
    print(json.dumps({'dense': accuracy(dense, test), 'macs': whole}), flush=True)
    for share in options.shares:
        for seed in options.seeds:
            torch.manual_seed(seed)
            pruned = prune(dense, share, whole)
            before = accuracy(pruned, test)
            widths = [conv.out_channels for conv, _ in pruned.in_order()]
            train(pruned, dense, training, seed, options)
            reached = accuracy(pruned, test)
            record = {'share': share, 'seed': seed, 'rate': options.rate, 'alpha': options.alpha,
                      'macs': macs(pruned) / whole, 'before': before, 'accuracy': reached, 'widths': widths}
            print(json.dumps(record), flush=True)
            path = options.out / f'torch-pruning-{share}-{seed}.onnx'
            torch.onnx.export(pruned, (torch.zeros(1, 3, 32, 32),), path, input_names=['input'], output_names=['output'],
                              dynamic_axes={'input': {0: 'N'}, 'output': {0: 'N'}}, opset_version=13, dynamo=False,
                              training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)


if __name__ == '__main__':
    main()
