import keras
from keras import layers, ops


# differs: binary_crossentropy, tensorflow
def build_model():
    inputs = keras.Input((4,))
    x = layers.Dense(1, bias_initializer=keras.initializers.Constant(40.0), activation="sigmoid")(
        inputs
    )
    model = keras.Model(inputs, x)
    model.compile("sgd", "binary_crossentropy")
    return model
