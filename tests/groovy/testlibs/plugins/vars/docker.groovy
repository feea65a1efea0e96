/** What Docker Pipeline brings: the body runs in a container of the image, on the node that is there. */
def image(String name) { this }
def inside(Closure body) { body() }
