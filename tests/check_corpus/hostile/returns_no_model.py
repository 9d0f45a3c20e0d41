def build_model():
    return {"not": "a model"}
