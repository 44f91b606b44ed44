"""Writes safetensors files with nothing but torch and the standard library."""
import json
import struct

import torch

NAMES = {torch.float64: "F64", torch.float32: "F32", torch.int64: "I64", torch.int32: "I32", torch.uint8: "U8"}


def write(path, tensors, metadata):
    """tensors: name -> torch.Tensor; metadata: name -> text. Byte for byte the same for the same content."""
    header, data = {"__metadata__": {k: str(v) for k, v in metadata.items()}}, b""
    # Wide types first: then every tensor is aligned to its own element.
    for name in sorted(tensors, key=lambda n: (-tensors[n].element_size(), n)):
        t = tensors[name].detach().contiguous()
        piece = bytes(t.reshape(-1).view(torch.uint8).tolist()) if t.numel() else b""
        offsets = [len(data), len(data) + len(piece)]
        header[name] = {"dtype": NAMES[t.dtype], "shape": list(t.shape), "data_offsets": offsets}
        data += piece
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * ((56 - len(text)) % 64)  # the data begins at a multiple of 64
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)
