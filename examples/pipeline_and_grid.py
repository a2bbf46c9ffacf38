"""In scikit-learn's pipelines: codes as features of a classifier, the weight chosen by cross-validation."""

from sklearn.datasets import load_digits
from sklearn.feature_selection import VarianceThreshold
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import prismae as pr


def main(steps: int = 1500) -> float:
    """Print what the search found, and return the accuracy on held-out digits."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=0, stratify=y)
    pipeline = make_pipeline(
        VarianceThreshold(),  # some pixels are always black, and prismae refuses constant columns
        pr.Autoencoder("beta-vae", n_latents=8, steps=steps, lr=1e-3, random_state=0),
        StandardScaler(),
        LogisticRegression(max_iter=1000),
    )
    search = GridSearchCV(pipeline, {"autoencoder__method__beta": [0.1, 1.0, 10.0]}, cv=2)
    search.fit(X_train, y_train)
    accuracy = search.score(X_test, y_test)
    print(f"chosen: {search.best_params_}; accuracy of the classifier on held-out digits: {accuracy:.2f}")
    return accuracy


if __name__ == "__main__":
    main()
